package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

// passwordBytesMax is the length of the longest password.
const passwordBytesMax = 4 << 10

// newPassword reads a password that is to be set: in the file that a flag names, from whoever sits at the terminal, or from
// what is piped in. It is never an argument: everybody on the machine can see those.
func newPassword(c *cli.Context) (string, error) {
	if file := c.String("password-file"); file != "" {
		password, err := passwordIn(file)
		if err != nil {
			return "", fmt.Errorf("--password-file: %w", err)
		}
		return password, nil
	}
	if in, ok := c.App.Reader.(*os.File); ok && term.IsTerminal(int(in.Fd())) {
		return typedPassword(in, c.App.ErrWriter)
	}
	password, err := firstLine(c.App.Reader)
	if err != nil {
		return "", fmt.Errorf("read the password from standard input: %w", err)
	}
	return password, nil
}

// passwordIn reads the first line of a file.
func passwordIn(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return firstLine(f)
}

// firstLine reads a line, which is not empty, without its end.
func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, passwordBytesMax+1)).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	switch {
	case len(line) > passwordBytesMax:
		return "", fmt.Errorf("the first line has more than %d bytes", passwordBytesMax)
	case line != "":
		return line, nil
	case err == nil || errors.Is(err, io.EOF):
		return "", errors.New("the first line is empty")
	}
	return "", err
}

// typedPassword asks for a password twice, without showing it.
func typedPassword(in *os.File, out io.Writer) (string, error) {
	var typed [2]string
	for i, prompt := range []string{"Password: ", "Once more: "} {
		fmt.Fprint(out, prompt)
		b, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(out)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		typed[i] = string(b)
	}
	if typed[0] != typed[1] {
		return "", errors.New("the two passwords differ")
	}
	return firstLine(strings.NewReader(typed[0]))
}
