// Package admin is the HTTP listener: metrics, health, and, for those who debug, Go's profiles.
//
//	GET /metrics       every metric, in the Prometheus text format
//	GET /livez         200 while the process answers
//	GET /readyz        200 while records are accepted, else 503 and why not
//	GET /debug/pprof/  with Debug only
package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"golang.org/x/net/netutil"

	"github.com/heraclitus/heraclitus/pkg/metrics"
)

// Limits of the listener. A scraper and a prober need little.
const (
	connectionsMax = 256
	headerBytesMax = 16 << 10
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = 2 * time.Minute // a profile of a minute fits
	idleTimeout    = time.Minute
)

// Options are the settings of the listener.
type Options struct {
	Ready   func() error     // why records are not accepted now, or nil
	Metrics *metrics.Metrics // nil: not served
	Debug   bool             // serve Go's profiles
	Log     *slog.Logger
}

// Server is the HTTP listener.
type Server struct{ http http.Server }

// New returns a server that does not listen yet.
func New(o Options) *Server {
	return &Server{http: http.Server{
		Handler:           routes(o),
		MaxHeaderBytes:    headerBytesMax,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}}
}

// Serve answers on l, which it closes in the end. It returns nil after Shutdown.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(netutil.LimitListener(l, connectionsMax)); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP on %s: %w", l.Addr(), err)
	}
	return nil
}

// Shutdown ends Serve and waits for the answers under way; when ctx ends first their connections are cut.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		s.http.Close()
		return fmt.Errorf("wait for HTTP answers: %w", err)
	}
	return nil
}

func routes(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := o.Ready(); err != nil {
			say(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		say(w, http.StatusOK, "ok")
	})
	if o.Metrics != nil {
		mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
			o.Metrics.Write(w)
		})
	}
	if o.Debug {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}
