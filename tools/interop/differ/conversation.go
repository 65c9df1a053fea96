package differ

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Answer is what a server answered in one step of a conversation.
type Answer struct {
	Step   string
	Fault  string // why the frame is no answer at all: it does not decode, or came too late; mostly empty
	Fields []Field
}

// Conversation is a script being held with a server in one version. A fault that makes going on senseless is kept, and
// everything after it is answered by empty responses, so that scripts need not check.
//
// Topics are the conversation's own: [Conversation.Topic] gives names that nobody else uses, and reports show them as
// the script wrote them.
type Conversation struct {
	Version int16 // of the API that the script is about

	t       *Target
	suffix  string           // of the names of topics and groups
	client  string           // who takes the next steps
	mains   map[string]*conn // for recorded steps, by client, without those that the server has closed
	side    *conn            // for what only prepares
	answers []Answer
	names   names
	created []string // topics to delete

	allConfigs bool // write the settings of new topics that are defaults too
	err        error
}

// converse begins a conversation.
func (t *Target) converse(version int16) *Conversation {
	n := t.talks.Add(1)
	return &Conversation{Version: version, t: t, suffix: fmt.Sprintf("-r%04d", n), mains: map[string]*conn{}}
}

// end closes the conversation's connections.
func (c *Conversation) end() {
	for _, n := range c.mains {
		n.nc.Close()
	}
	if c.side != nil {
		c.side.nc.Close()
	}
	c.mains, c.side = map[string]*conn{}, nil
}

// fail keeps the first fault.
func (c *Conversation) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// Topic is the conversation's own topic of that name.
func (c *Conversation) Topic(name string) string { return name + c.suffix }

// Group is the conversation's own group of that name.
func (c *Conversation) Group(name string) string { return name + c.suffix }

// As has another client take the next steps, over a connection of its own, so that a request which is held back holds up
// nobody else's.
func (c *Conversation) As(client string) { c.client = client }

// AsStranger is As, through the door where clients are asked who they are.
func (c *Conversation) AsStranger(client string) { c.client = strangers + client }

// strangers begins the names of clients that come through that door.
const strangers = "stranger "

// Node is the server's id.
func (c *Conversation) Node() int32 { return c.t.node }

// Base is a time two hours before the conversations began, in milliseconds. Reports write it "base".
func (c *Conversation) Base() int64 { return c.t.base }

// Ask is a recorded step: it sends q in the script's version and returns the answer, or an empty response if there is none.
func (c *Conversation) Ask(step string, q wire.Message) wire.Message {
	return c.AskAt(step, c.Version, q)
}

// AskAt is Ask in another version, and mostly of another API.
func (c *Conversation) AskAt(step string, version int16, q wire.Message) wire.Message {
	return c.StartAt(step, version, q)()
}

// Start sends q and returns a function that waits for the answer and records the step. In between the script may do what
// makes the server answer.
func (c *Conversation) Start(step string, q wire.Message) func() wire.Message {
	return c.StartAt(step, c.Version, q)
}

// StartAt is Start in another version, and mostly of another API.
func (c *Conversation) StartAt(step string, version int16, q wire.Message) func() wire.Message {
	key := keyOf(q)
	return c.exchange(step, key, version, func(n *conn) []byte { return frame(n.request(key, version, q.Append(nil, version))) })
}

// Raw is a recorded step whose request is what the script makes of a payload: header and body of q. The answer is read as
// one to q, in another version.
func (c *Conversation) Raw(step string, version int16, q wire.Message, another int16, spoil func([]byte) []byte) {
	key := keyOf(q)
	c.exchange(step, key, another, func(n *conn) []byte { return frame(spoil(n.request(key, version, q.Append(nil, version)))) })()
}

// Bytes is a recorded step that sends bytes which are no frame. An answer, if there is one, is read as one to ApiVersions 0.
func (c *Conversation) Bytes(step string, b []byte) {
	c.exchange(step, wire.KeyApiVersions, 0, func(*conn) []byte { return b })()
}

// AskWaiting is Ask for a request that the server has to hold back for a while; what is recorded is whether it did.
func (c *Conversation) AskWaiting(step string, atLeast time.Duration, q wire.Message) wire.Message {
	begin := time.Now()
	m := c.Ask(step, q)
	if c.err == nil {
		last := &c.answers[len(c.answers)-1]
		last.Fields = append(last.Fields, Field{At: top, Name: "waited", Value: yesNo(time.Since(begin) >= atLeast)})
	}
	return m
}

// Tell is a recorded step for a request that is not answered. What is recorded is whether the server then still answers
// another request on the connection.
func (c *Conversation) Tell(step string, q wire.Message) {
	key := keyOf(q)
	c.exchange(step, wire.KeyApiVersions, 0, func(n *conn) []byte {
		unanswered := frame(n.request(key, c.Version, q.Append(nil, c.Version)))
		return append(unanswered, frame(n.request(wire.KeyApiVersions, 0, nil))...)
	})()
	if c.err != nil {
		return
	}
	if last := &c.answers[len(c.answers)-1]; last.Fault == "" && connection(last.Fields) == answered {
		last.Fields = []Field{{At: top, Name: "connection", Value: "open"}}
	}
}

// Token is a recorded step that sends a token of a SASL mechanism in a frame of its own, as after SaslHandshake 0. What is
// recorded is the token that is answered.
func (c *Conversation) Token(step, token string) []byte {
	n := c.connect()
	if c.err != nil {
		return nil
	}
	err := n.write(frame([]byte(token)))
	var answer []byte
	if err == nil {
		answer, err = n.receive()
	}
	if err != nil {
		c.record(step, 0, nil, err)
		c.drop(n)
		return nil
	}
	c.answers = append(c.answers, Answer{Step: step, Fields: []Field{{At: top, Name: "token", Value: secret(answer)}}})
	return answer
}

// Whether is AskAt, but what is recorded is only whether there was an answer.
func (c *Conversation) Whether(step string, version int16, q wire.Message) {
	c.AskAt(step, version, q)
	if c.err != nil {
		return
	}
	if last := &c.answers[len(c.answers)-1]; last.Fault == "" {
		last.Fields = []Field{{At: top, Name: "connection", Value: connection(last.Fields)}}
	}
}

// exchange sends bytes; the function it returns waits for the answer and records the step.
func (c *Conversation) exchange(step string, key, version int16, bytes func(*conn) []byte) func() wire.Message {
	nothing := func() wire.Message { return wire.NewResponse(key) }
	n := c.connect()
	if c.err != nil {
		return nothing
	}
	if err := n.write(bytes(n)); err != nil && !errors.Is(err, errHungUp) {
		c.fail(err)
		return nothing
	}
	correlation := n.correlation
	return func() wire.Message {
		m, err := n.answer(key, version, correlation)
		c.record(step, version, m, err)
		if err != nil {
			c.drop(n)
			return nothing()
		}
		return m
	}
}

// connect is the connection of who takes the next step.
func (c *Conversation) connect() *conn {
	n := c.mains[c.client]
	if n == nil && c.err == nil {
		var err error
		if strings.HasPrefix(c.client, strangers) {
			n, err = dialFrom(visitor(c.t.visits.Add(1)), c.t.SASL)
		} else {
			n, err = dial(c.t.addr)
		}
		if err != nil {
			c.fail(err)
			return nil
		}
		c.mains[c.client] = n
	}
	return n
}

// drop gives up a connection, which is no good any more after an answer that is none.
func (c *Conversation) drop(n *conn) {
	n.nc.Close()
	maps.DeleteFunc(c.mains, func(_ string, main *conn) bool { return main == n })
}

// record keeps an answer.
func (c *Conversation) record(step string, version int16, m wire.Message, err error) {
	for _, a := range c.answers {
		if a.Step == step {
			c.fail(fmt.Errorf("two steps are called %q", step))
		}
	}
	a := Answer{Step: step}
	switch {
	case errors.Is(err, errHungUp):
		a.Fields = []Field{{At: top, Name: "connection", Value: "closed"}}
	case err != nil:
		a.Fault = err.Error()
	default:
		a.Fields = c.render(m, version)
	}
	c.answers = append(c.answers, a)
}

// call sends what is not recorded, over a connection of its own, and returns the answer, or an empty one after a fault.
func call[R wire.Message](c *Conversation, version int16, q wire.Message) R {
	m, err := c.call(version, q)
	if err != nil {
		c.fail(fmt.Errorf("%T in version %d: %w", q, version, err))
	}
	if r, ok := m.(R); ok {
		return r
	}
	return fresh(reflect.TypeFor[R]().Elem()).Addr().Interface().(R)
}

func (c *Conversation) call(version int16, q wire.Message) (m wire.Message, err error) {
	if c.err != nil {
		return nil, c.err
	}
	if c.side == nil {
		if c.side, err = dial(c.t.addr); err != nil {
			return nil, err
		}
	}
	key := keyOf(q)
	if err := c.side.write(frame(c.side.request(key, version, q.Append(nil, version)))); err != nil {
		return nil, err
	}
	return c.side.answer(key, version, c.side.correlation)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
