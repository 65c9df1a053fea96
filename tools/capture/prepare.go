package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

// prepare gets a program ready that lies in folder, and returns the command that starts it. What it makes, it makes in dir.
type prepare func(folder, dir string) (command []string, err error)

func goProgram(folder, dir string) ([]string, error) {
	program := filepath.Join(dir, "program")
	return []string{program}, do(folder, "go", "build", "-o", program, ".")
}

// do runs a command in a folder.
func do(folder, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}
