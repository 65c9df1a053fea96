//go:build full

package interop

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/tools/internal/run"
)

// javaVersions are the releases of Kafka's own tools that are tried. What they do beside this, clients/java-tools checks.
var javaVersions = []string{"3.9.2", "4.3.1"}

// java is the class path of one release.
type java struct{ classpath string }

// javaTools has the class path of a release, from Maven.
func javaTools(t *testing.T, version string) java {
	t.Helper()
	classpath, err := run.ClassPath(version)
	if err != nil {
		t.Fatal(err)
	}
	return java{classpath}
}

// run runs a main class and returns what it printed.
func (j java) run(t *testing.T, stdin, class string, args ...string) string {
	t.Helper()
	cmd := exec.Command("java", append([]string{"-cp", j.classpath, class}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", class, strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String()
}
