package clients

import (
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/heraclitus/heraclitus/tools/internal/run"
)

// golang builds a program of tools/interop's module, or of one of its own; go.mod pins the client. cgo takes a C
// compiler, too.
var (
	golang = language{[]string{"go"}, prepareGo}
	cgo    = language{[]string{"go", "gcc"}, prepareGo}
)

func prepareGo(ctx context.Context, p *place) (Program, error) {
	binary := filepath.Join(p.cache, "go", p.folder)
	if err := command(ctx, p.dir, nil, "go", "build", "-o", binary, "."); err != nil {
		return Program{}, err
	}
	built, err := buildinfo.ReadFile(binary)
	if err != nil {
		return Program{}, err
	}
	program := Program{Command: []string{binary}}
	for _, d := range built.Deps {
		if d.Path == p.library {
			program.Version = d.Version[len("v"):]
		}
	}
	return program, nil
}

// python has pip install the clients into one virtual environment for all of them; python/requirements.txt pins them.
var python = language{[]string{"python3"}, preparePython}

func preparePython(ctx context.Context, p *place) (Program, error) {
	shared := filepath.Join(p.programs, "python")
	pins := filepath.Join(shared, "requirements.txt")
	text, err := os.ReadFile(pins)
	if err != nil {
		return Program{}, err
	}
	dir, err := p.once("python-"+digest(text), func(dir string) error {
		if err := command(ctx, dir, nil, "python3", "-m", "venv", dir); err != nil {
			return err
		}
		return command(ctx, dir, nil, filepath.Join(dir, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "-r", pins)
	})
	if err != nil {
		return Program{}, err
	}
	pin := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(p.library) + `==(.+)$`).FindSubmatch(text)
	if pin == nil {
		return Program{}, fmt.Errorf("%s pins no version of it", pins)
	}
	return Program{
		Version: string(pin[1]),
		Command: []string{filepath.Join(dir, "bin", "python"), "main.py"},
		Env:     []string{"PYTHONPATH=" + shared, "PYTHONDONTWRITEBYTECODE=1"},
	}, nil
}

// node has npm install what the program's package.json pins.
var node = language{[]string{"node", "npm"}, prepareNode}

func prepareNode(ctx context.Context, p *place) (Program, error) {
	text, err := os.ReadFile(filepath.Join(p.dir, "package.json"))
	if err != nil {
		return Program{}, err
	}
	var pins struct{ Dependencies map[string]string }
	if err := json.Unmarshal(text, &pins); err != nil {
		return Program{}, fmt.Errorf("read package.json: %w", err)
	}
	dir, err := p.once("node-"+p.folder+"-"+digest(text), func(dir string) error {
		if err := os.WriteFile(filepath.Join(dir, "package.json"), text, 0o644); err != nil {
			return err
		}
		// Without the variable, Confluent's client downloads a built librdkafka; with it, it builds the one it brings.
		return command(ctx, dir, []string{"CKJS_LINKING=dynamic"}, "npm", "install", "--no-audit", "--no-fund", "--loglevel=error")
	})
	if err != nil {
		return Program{}, err
	}
	return Program{
		Version: pins.Dependencies[p.library],
		Command: []string{"node", "main.js"},
		Env:     []string{"NODE_PATH=" + filepath.Join(dir, "node_modules")},
	}, nil
}

// java has Maven compile the program and copy the client, of the release asked for, by the program's pom.xml.
var java = language{[]string{"java", "mvn"}, prepareJava}

func prepareJava(ctx context.Context, p *place) (Program, error) {
	sources, err := p.sources()
	if err != nil {
		return Program{}, err
	}
	dir, err := p.once("java-"+p.version+"-"+digest(sources), func(dir string) error {
		return command(ctx, p.dir, nil, "mvn", "-q", "-Dkafka.version="+p.version, "-Dout="+dir, "compile", "dependency:copy-dependencies")
	})
	if err != nil {
		return Program{}, err
	}
	path := filepath.Join(dir, "classes") + string(os.PathListSeparator) + filepath.Join(dir, "lib", "*")
	return Program{
		Version: p.version,
		Command: []string{"java", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "-cp", path, "interop.Main"},
	}, nil
}

// sources are all the files of the program, one behind the other.
func (p *place) sources() (all []byte, err error) {
	err = filepath.WalkDir(p.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		all = append(all, text...)
		return err
	})
	return all, err
}

// javaTools are the tools that come with Kafka, which a program in Go runs.
var javaTools = language{[]string{"go", "java", "mvn"}, prepareJavaTools}

func prepareJavaTools(ctx context.Context, p *place) (Program, error) {
	if _, err := run.ClassPath(p.version); err != nil {
		return Program{}, err
	}
	program, err := prepareGo(ctx, p)
	program.Version, program.Env = p.version, []string{"KAFKA_VERSION=" + p.version}
	return program, err
}

// digest names what a text pins: another text, another name.
func digest(text []byte) string { return fmt.Sprintf("%x", sha256.Sum256(text))[:12] }
