package clients

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/heraclitus/heraclitus/tools/internal/run"
)

// java has Maven compile the program with the client's version, and copy the client.
var java = language{[]string{"java", "mvn"}, prepareJava}

func prepareJava(ctx context.Context, p *place) (Program, error) {
	text, err := p.text()
	if err != nil {
		return Program{}, err
	}
	dir, err := p.once("java-"+p.version+"-"+digest(text), func(dir string) error {
		return command(ctx, p.dir, nil, "mvn", "-q", "-Dkafka.version="+p.version, "-Dout="+dir, "compile", "dependency:copy-dependencies")
	})
	if err != nil {
		return Program{}, err
	}
	path := strings.Join([]string{filepath.Join(dir, "classes"), filepath.Join(dir, "lib", "*")}, string(os.PathListSeparator))
	return Program{
		Version: p.version,
		Command: []string{"java", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "-cp", path, "interop.Main"},
	}, nil
}

// text is all of a Java program: what is compiled from another text is another thing.
func (p *place) text() (all []byte, err error) {
	sources, err := filepath.Glob(filepath.Join(p.dir, "src", "main", "java", "interop", "*.java"))
	if err != nil {
		return nil, err
	}
	for _, name := range append(sources, filepath.Join(p.dir, "pom.xml")) {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, text...)
	}
	return all, nil
}

// javaTools builds a program that runs Kafka's command-line tools, which Maven fetches.
var javaTools = language{[]string{"go", "java", "mvn"}, prepareJavaTools}

func prepareJavaTools(ctx context.Context, p *place) (Program, error) {
	if _, err := run.ClassPath(p.version); err != nil {
		return Program{}, err
	}
	program, err := prepareGo(ctx, p)
	program.Version, program.Env = p.version, []string{"KAFKA_VERSION=" + p.version}
	return program, err
}
