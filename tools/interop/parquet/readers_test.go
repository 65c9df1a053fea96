//go:build full

package parquet

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// folder is where the readers are installed, from the registries, in the versions that are pinned beside them.
const folder = "../../../.tmp/parquet"

// TestDuckDB, TestPyArrow and TestHyparquet read each segment whole, and by ranges: DuckDB and PyArrow by offsets,
// which they find by the statistics, hyparquet by rows, which it finds by the offset index.
func TestDuckDB(t *testing.T)  { readBy(t, python(t), "duckdb_rows.py") }
func TestPyArrow(t *testing.T) { readBy(t, python(t), "arrow_rows.py") }
func TestHyparquet(t *testing.T) {
	install(t, "package.json", "npm", "install", "--silent", "--no-audit", "--no-fund")
	readBy(t, "node", filepath.Join(folder, copied(t, "hyparquet_rows.mjs")))
}

// python returns the interpreter of an environment that has what the readers need.
func python(t *testing.T) string {
	t.Helper()
	at, err := filepath.Abs(filepath.Join(folder, "venv", "bin", "python"))
	if err != nil {
		t.Fatal(err)
	}
	install(t, "requirements.txt", "sh", "-c", "python3 -m venv venv && venv/bin/pip install -q -r requirements.txt")
	return at
}

// install runs a command in the folder, unless that has been done for the same list of packages.
func install(t *testing.T, list string, command ...string) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join("readers", list))
	if err != nil {
		t.Fatal(err)
	}
	done := filepath.Join(folder, list+".done")
	if have, err := os.ReadFile(done); err == nil && bytes.Equal(have, want) {
		return
	}
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Skipf("%s is not on this machine", command[0])
	}
	copied(t, list)
	c := exec.Command(command[0], command[1:]...)
	c.Dir = folder
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, out)
	}
	if err := os.WriteFile(done, want, 0o644); err != nil {
		t.Fatal(err)
	}
}

// copied puts a file into the folder: node looks for packages beside the program.
func copied(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("readers", name))
	if err == nil {
		err = os.MkdirAll(folder, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name), b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// readBy compares what a program prints of each segment.
func readBy(t *testing.T, program, script string) {
	if !strings.Contains(script, "/") {
		script = filepath.Join("readers", script)
	}
	for _, f := range files(t) {
		for _, r := range f.ranges() {
			first, last := r[0], r[1]-1
			c := exec.Command(program, script, f.path, fmt.Sprint(first), fmt.Sprint(last), fmt.Sprint(f.offsets[first]), fmt.Sprint(f.offsets[last]))
			c.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
			var complaint bytes.Buffer
			c.Stderr = &complaint
			out, err := c.Output()
			if err != nil {
				t.Fatalf("%s %s: %v\n%s", script, f.path, err, complaint.Bytes())
			}
			f.want(t, script, strings.Split(strings.TrimSpace(string(out)), "\n"), r[0], r[1])
		}
	}
}
