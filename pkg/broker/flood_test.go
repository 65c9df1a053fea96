package broker_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/broker/brokertest"
	"github.com/heraclitus/heraclitus/pkg/certificate/certificatetest"
	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Sizes of a flood.
const (
	attackers         = 16
	attackConnections = 30   // open at once, of each
	attacks           = 3000 // at least
	floodRounds       = 50   // of produce and fetch meanwhile, at least
	floodConnections  = 300  // that the broker allows: fewer than the attackers open
)

// TestAuthenticationFlood shows that while thousands of connections present a wrong password, stop at every point of a
// login or send garbage, clients that have logged in go on to produce and fetch, connections and memory stay within their
// bounds, and that the broker is fine afterwards; by plain text and by TLS.
func TestAuthenticationFlood(t *testing.T) {
	few := func(c *config.Config) { c.Limits.ConnectionsMax = floodConnections }
	t.Run("plain", func(t *testing.T) { flood(t, brokertest.Start(t, asking, few), nil) })
	t.Run("TLS", func(t *testing.T) {
		a := certificatetest.New(t)
		flood(t, brokertest.Start(t, asking, few, brokertest.TLS(t, a)), a.Trust())
	})
}

func flood(t *testing.T, b *brokertest.Broker, secure *tls.Config) {
	producer, consumer := dial(t, b.Address(), secure), dial(t, b.Address(), secure)
	login(t, producer)
	login(t, consumer)
	before := heapBytes()
	var stop atomic.Bool
	var attacked atomic.Int64
	var wg sync.WaitGroup
	for i := range attackers {
		wg.Go(func() { attack(b.Address(), secure, i, &attacked, &stop) })
	}
	for round := 0; round < floodRounds || attacked.Load() < attacks; round++ {
		value := "value " + strconv.Itoa(round)
		p := tryProduceOn(t, producer, "orders", batchOf(t, value))
		if p.ErrorCode != 0 || !bytes.Contains(fetchOn(t, consumer, "orders", p.BaseOffset), []byte(value)) {
			t.Fatalf("round %d: produced with error %d, and not read again", round, p.ErrorCode)
		}
		if n := connections(t, b); n > floodConnections {
			t.Fatalf("%d connections are open, %d are allowed", n, floodConnections)
		}
	}
	if grown := heapBytes() - before; grown > 64<<20 {
		t.Errorf("the heap has grown by %d bytes in the flood", grown)
	}
	stop.Store(true)
	wg.Wait()
	for deadline := time.Now().Add(time.Minute); connections(t, b) != 2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are left", connections(t, b))
		}
	}
	c := dial(t, b.Address(), secure)
	login(t, c)
	if p := tryProduceOn(t, c, "orders", batchOf(t, "afterwards")); p.ErrorCode != 0 {
		t.Errorf("after the flood produce is refused with error %d", p.ErrorCode)
	}
}

// attack opens connections, says something wrong on each, and keeps the newest of them open, until it is stopped.
func attack(address string, secure *tls.Config, seed int, count *atomic.Int64, stop *atomic.Bool) {
	open := make([]net.Conn, attackConnections)
	defer func() {
		for _, c := range open {
			if c != nil {
				c.Close()
			}
		}
	}()
	for i := seed; !stop.Load(); i++ {
		c, err := net.Dial("tcp", address)
		if err != nil {
			continue
		}
		slot := &open[i%attackConnections]
		if *slot != nil {
			(*slot).Close()
		}
		*slot = c
		c.SetDeadline(time.Now().Add(5 * time.Second))
		say, byTLS := wrongs[i%len(wrongs)].say, wrongs[i%len(wrongs)].byTLS && secure != nil
		if byTLS {
			c = tls.Client(c, secure)
		}
		c.Write(say)
		count.Add(1)
	}
}

// wrongs are what attackers say.
var wrongs = []struct {
	say   []byte
	byTLS bool // where there is TLS
}{
	{append(framed(wire.KeySaslHandshake, 1, &wire.SaslHandshakeRequest{Mechanism: "PLAIN"}), framed(wire.KeySaslAuthenticate, 2, &wire.SaslAuthenticateRequest{AuthBytes: []byte("\x00u\x00wrong")})...), true},
	{framed(wire.KeySaslHandshake, 1, &wire.SaslHandshakeRequest{Mechanism: "PLAIN"}), true},
	{append([]byte{0, 0, 0x7f, 0xff}, make([]byte, 20<<10)...), true},
	{framed(wire.KeyMetadata, 9, &wire.MetadataRequest{}), true},
	{[]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), false},
	{[]byte("GET / HTTP/1.1\r\n\r\n"), false},
	{bytes.Repeat([]byte{0xc3}, 4000), false},
	{nil, false},
}

var connectionsLine = regexp.MustCompile(`(?m)^heraclitus_connections (\d+)$`)

// connections is how many are open, as metrics say.
func connections(t *testing.T, b *brokertest.Broker) int {
	t.Helper()
	_, text := page(t, b, "/metrics")
	m := connectionsLine.FindStringSubmatch(text)
	if m == nil {
		t.Fatal("metrics do not say how many connections there are")
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(fmt.Errorf("heraclitus_connections: %w", err))
	}
	return n
}

// heapBytes is how many bytes of the heap are in use, after a collection.
func heapBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
