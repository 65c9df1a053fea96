package run

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// pom asks Maven for a release of Kafka's broker and tools, with what they log by.
const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>kafka</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>%[1]s</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>%[1]s</version></dependency>
%[2]s
</dependencies></project>
`

// Kafka logs by log4j 1, or what replaced it, before version 4, and by log4j 2 from then on.
const (
	logs3 = `<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-reload4j</artifactId><version>1.7.36</version></dependency>`
	logs4 = `<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.1</version></dependency>`
)

// logging are the settings of both, in one folder of the class path: warnings, to the standard error, so that what
// tools print stays clean.
var logging = map[string]string{
	"log4j.properties": `log4j.rootLogger=WARN,C
log4j.appender.C=org.apache.log4j.ConsoleAppender
log4j.appender.C.target=System.err
log4j.appender.C.layout=org.apache.log4j.PatternLayout
log4j.appender.C.layout.ConversionPattern=%d %p %m (%c)%n
`,
	"log4j2.xml": `<Configuration status="ERROR">
<Appenders><Console name="C" target="SYSTEM_ERR"><PatternLayout pattern="%d %p %m (%c)%n"/></Console></Appenders>
<Loggers><Root level="WARN"><AppenderRef ref="C"/></Root></Loggers>
</Configuration>
`,
}

// ClassPath is a Java class path with a release of Kafka's broker, clients and tools. The first call has Maven copy
// them into the user's cache.
func ClassPath(version string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache: %w", err)
	}
	dir := filepath.Join(cache, "heraclitus-interop", "kafka-broker-"+version)
	path := strings.Join([]string{dir, filepath.Join(dir, "lib", "*")}, string(os.PathListSeparator))
	done := filepath.Join(dir, "done")
	if _, err := os.Stat(done); err == nil {
		return path, nil
	}
	if err := fetch(version, dir); err != nil {
		return "", fmt.Errorf("fetch Kafka %s: %w", version, err)
	}
	return path, os.WriteFile(done, nil, 0o644)
}

func fetch(version, dir string) error {
	logs := logs4
	if strings.HasPrefix(version, "3.") {
		logs = logs3
	}
	files := map[string]string{"pom.xml": fmt.Sprintf(pom, version, logs)}
	for name, text := range logging {
		files[name] = text
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	mvn := exec.Command("mvn", "-q", "-f", filepath.Join(dir, "pom.xml"), "dependency:copy-dependencies", "-DoutputDirectory="+filepath.Join(dir, "lib"))
	if out, err := mvn.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}
