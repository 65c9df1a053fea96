package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// jobTimeout is when a check is ended whose program has not ended by itself, as it should within two minutes.
const jobTimeout = 150 * time.Second

// lacking is the exit status by which a program says that its client does not have what the check is about.
const lacking = 3

// verdict is what came of a check.
type verdict string

const (
	holds   verdict = "ok"
	fails   verdict = "failed"
	lacks   verdict = "-" // the client has no such feature: result.why says which
	skipped verdict = ""  // the server has no such door
)

// job is a check to be made by a client.
type job struct {
	program
	check
}

// result is the outcome of a job.
type result struct {
	job
	verdict
	why  string // the client's words
	file string // where all it said is
	took time.Duration
}

// runAgainst starts a server with a storage and has every program make every check.
func (o options) runAgainst(ctx context.Context, storage string, programs []program, checks []check) ([]result, error) {
	dir := o.scratch("run", strings.NewReplacer(":", "-", "/", "-").Replace(storage))
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s, err := start(storage, o.root, dir)
	if err != nil {
		return nil, err
	}
	var jobs []job
	for _, p := range programs {
		for _, c := range checks {
			jobs = append(jobs, job{p, c})
		}
	}
	results := o.runAll(ctx, jobs, s, dir)
	return results, s.stop()
}

// runAll runs jobs, a few at a time.
func (o options) runAll(ctx context.Context, jobs []job, s *server, dir string) []result {
	results := make([]result, len(jobs))
	places := make(chan struct{}, o.parallel)
	var all sync.WaitGroup
	for i, j := range jobs {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			results[i] = j.run(ctx, s, dir)
			if r := results[i]; o.verbose && r.verdict != skipped {
				fmt.Printf("%-20s %-12s %-6s %6.2f s  %s\n", r.program.name, r.check.name, r.verdict, r.took.Seconds(), r.why)
			}
		})
	}
	all.Wait()
	return results
}

// run has a client make a check.
func (j job) run(ctx context.Context, s *server, dir string) result {
	r := result{job: j, file: filepath.Join(dir, j.program.name+"-"+j.check.name+".txt")}
	addr, ok := s.doors[j.door]
	if !ok {
		return r
	}
	ctx, cancel := context.WithTimeout(ctx, jobTimeout)
	defer cancel()
	args := append(j.Command[1:len(j.Command):len(j.Command)], j.asks())
	cmd := exec.CommandContext(ctx, j.Command[0], args...)
	cmd.Dir = j.Dir
	cmd.Env = append(append(os.Environ(), j.Env...), j.environment(s, addr)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that what the program started ends with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	began := time.Now()
	err := cmd.Run()
	r.took = time.Since(began)
	r.judge(ctx, err, out.String(), errs.String())
	return r
}

// judge makes a verdict of how a program ended and of what it said.
func (r *result) judge(ctx context.Context, err error, out, errs string) {
	if err == nil {
		r.verdict = holds
		return
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == lacking {
		r.verdict, r.why = lacks, firstLine(out)
		return
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("ended after %v: %w", r.took.Round(time.Second), ctx.Err())
	}
	r.verdict, r.why = fails, lastLine(errs)
	if r.why == "" {
		r.why = err.Error()
	}
	text := fmt.Sprintf("%v\n\nstderr:\n%s\nstdout:\n%s", err, errs, out)
	if err := os.WriteFile(r.file, []byte(text), 0o644); err != nil {
		r.why += " (" + err.Error() + ")"
	}
}

// environment is what the contract of the programs says they are told: ../clients/README.md.
func (j job) environment(s *server, addr string) []string {
	name := fmt.Sprintf("%s-%s-%x", j.program.name, j.check.name, time.Now().UnixNano())
	env := []string{"BOOTSTRAP=" + addr, "TOPIC=" + name, "GROUP=" + name, "SECURITY=" + j.door.security()}
	if m := j.login.mechanism; m != "" {
		password := s.password
		if j.login.wrong {
			password = "not " + password
		}
		env = append(env, "MECHANISM="+m, "USERNAME="+s.user, "PASSWORD="+password)
	}
	if j.door.security() != string(open) && j.door != sasl {
		env = append(env, "CA_FILE="+s.files.authority)
	}
	if j.door == mutual {
		env = append(env, "CERT_FILE="+s.files.clientCert, "KEY_FILE="+s.files.clientKey)
	}
	return env
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndex(s, "\n")+1:]
}
