package differ

import (
	"errors"
	"fmt"
	"reflect"
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
	suffix  string // of the topics' names
	main    *conn  // for recorded steps; nil before the first one, and once the server has closed it
	side    *conn  // for what only prepares
	answers []Answer
	names   names
	created []string // topics to delete

	allConfigs bool // write the settings of new topics that are defaults too
	err        error
}

// converse begins a conversation.
func (t *Target) converse(version int16) *Conversation {
	n := t.talks.Add(1)
	return &Conversation{Version: version, t: t, suffix: fmt.Sprintf("-r%04d", n)}
}

// end closes the conversation's connections.
func (c *Conversation) end() {
	for _, n := range []*conn{c.main, c.side} {
		if n != nil {
			n.nc.Close()
		}
	}
	c.main, c.side = nil, nil
}

// fail keeps the first fault.
func (c *Conversation) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// Topic is the conversation's own topic of that name.
func (c *Conversation) Topic(name string) string { return name + c.suffix }

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

// exchange sends bytes; the function it returns waits for the answer and records the step.
func (c *Conversation) exchange(step string, key, version int16, bytes func(*conn) []byte) func() wire.Message {
	nothing := func() wire.Message { return wire.NewResponse(key) }
	if c.main == nil && c.err == nil {
		var err error
		if c.main, err = dial(c.t.addr); err != nil {
			c.fail(err)
		}
	}
	if c.err != nil {
		return nothing
	}
	n := c.main
	if err := n.write(bytes(n)); err != nil && !errors.Is(err, errHungUp) {
		c.fail(err)
		return nothing
	}
	correlation := n.correlation
	return func() wire.Message {
		m, err := n.answer(key, version, correlation)
		c.record(step, version, m, err)
		if err != nil {
			return nothing()
		}
		return m
	}
}

// record keeps an answer. After one that is none the connection is no good any more.
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
	if err != nil && c.main != nil {
		c.main.nc.Close()
		c.main = nil
	}
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
