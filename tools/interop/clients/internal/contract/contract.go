// Package contract is what the Go programs of this folder share: what they are told and how they answer (Main,
// Settings), the records they send through a topic (Records, Compare), and the course of the checks that several
// members of a group take part in (Rebalance, Static), which is the same for every client. What a client does, and
// how, stands in its own program.
package contract

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"
)

// checkTimeout is how long a check may take. The runner's own deadline is a little later.
const checkTimeout = 110 * time.Second

// Check is one thing that a client must be able to do with a server; an error says what went wrong.
type Check func(context.Context, Settings) error

// Lacks is the error of a check about something that the client does not have. It names that.
type Lacks string

func (l Lacks) Error() string { return string(l) }

// Settings are what a program is told, by environment variables. Topic and Group are fresh for each check.
type Settings struct {
	Bootstrap string // host:port
	Topic     string // a topic's name, or what names of topics begin with
	Group     string

	Security           string // PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL
	Mechanism          string // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, with SASL only
	Username, Password string // likewise
	CAFile             string // of the authority that signed the server's certificate, PEM; with SSL only
	CertFile, KeyFile  string // of the client's own certificate, PEM; with mutual TLS only

	Release string // of Kafka, such as 0.10.2.0, to whose brokers the client is to speak, where it can be told; mostly empty
}

// Main runs the check that the command line names, and ends the program: with status 0 when the check holds, 3 when
// the client lacks what it is about, 1 otherwise.
func Main(checks map[string]Check) {
	if len(os.Args) != 2 || checks[os.Args[1]] == nil {
		fmt.Fprintf(os.Stderr, "usage: %s CHECK, one of the checks that are written in main\n", os.Args[0])
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	var lacks Lacks
	switch err := checks[os.Args[1]](ctx, fromEnvironment()); {
	case errors.As(err, &lacks):
		fmt.Println(lacks)
		os.Exit(3)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func fromEnvironment() Settings {
	return Settings{
		Bootstrap: os.Getenv("BOOTSTRAP"), Topic: os.Getenv("TOPIC"), Group: os.Getenv("GROUP"),
		Security: os.Getenv("SECURITY"), Mechanism: os.Getenv("MECHANISM"), Username: os.Getenv("USERNAME"), Password: os.Getenv("PASSWORD"),
		CAFile: os.Getenv("CA_FILE"), CertFile: os.Getenv("CERT_FILE"), KeyFile: os.Getenv("KEY_FILE"),
		Release: os.Getenv("RELEASE"),
	}
}

// SASL says whether the client has to log in.
func (s Settings) SASL() bool { return s.Security == "SASL_PLAINTEXT" || s.Security == "SASL_SSL" }

// TLS is how to reach a server that speaks TLS; nil for one that does not.
func (s Settings) TLS() (*tls.Config, error) {
	if s.Security != "SSL" && s.Security != "SASL_SSL" {
		return nil, nil
	}
	authority, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the authority's certificate: %w", err)
	}
	c := &tls.Config{RootCAs: x509.NewCertPool()}
	c.RootCAs.AppendCertsFromPEM(authority)
	if s.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read the client's certificate: %w", err)
		}
		c.Certificates = append(c.Certificates, pair)
	}
	return c, nil
}

// Await asks until the answer is as wanted, because Kafka answers some requests before every broker knows what they changed.
func Await(ctx context.Context, what string, ask func() (int, error), want int) error {
	for {
		got, err := ask()
		if err == nil && got == want {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not in time: got %d, want %d: %v", what, got, want, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
