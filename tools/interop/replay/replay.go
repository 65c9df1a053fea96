// Package replay asks a server what clients have asked Apache Kafka, frame by frame as testdata/frames has it, and
// compares the answers with those that Kafka gave.
//
// A conversation is held again as it was: the same requests, each on the same of the client's connections. What the
// recorded broker made up, such as the ids of members, producers and sessions, is learnt from the answers, and put in
// its place in the requests that follow ([translation]). Then both sides' answers are written as package differ
// writes them, which names what servers may choose, and compared by it.
//
// What several connections see of each other depends on when they look. So that the outcome is the same every time, a
// request is asked when its answer is due, that is where the answer was recorded, with these exceptions:
//
//   - what that answer depends on is asked before it (see [player.needs]): records that it shows, though they were
//     acknowledged later, and what other members of a group do, for whom it waits or of whom it tells;
//   - an answer that tells of other members is asked for again until it is as it was then, because only that shows that what
//     they have asked has arrived;
//   - of a fetch's answer counts what lies before the ends that the recorded one shows: the rest came while that was given;
//   - a fetch that brought nothing does not wait.
//
// A request of an API or version that the server does not serve is left out, which is a difference to be named.
package replay

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/heraclitus/heraclitus/pkg/wire"
	"github.com/heraclitus/heraclitus/tools/capture/frames"
	"github.com/heraclitus/heraclitus/tools/interop/differ"
)

// Who recorded clients say they are; it guards nothing.
const (
	User     = "capture"
	Password = "capture-secret"
)

const (
	againTimeout  = 10 * time.Second
	againInterval = 5 * time.Millisecond
)

// Outcomes of a request that is not answered, in the words of testdata/frames/differences.md.
const (
	hungUpOn  = "closed"
	notServed = "not served"
)

// exchange is a recorded request, and its answers, then and now.
type exchange struct {
	request  frames.Frame
	response frames.Frame // zero if there was none
	recorded wire.Message // the answer's body; nil if there was none
	live     wire.Message // likewise
	version  int16        // of live
	outcome  string       // why there is no live answer; mostly empty
	asked    bool
	id       int32 // the live correlation
}

// name is the exchange as a step in a report.
func (x *exchange) name() string {
	return fmt.Sprintf("%04d %s", x.request.Number, apiName(x.request.Key))
}

func apiName(key int16) string {
	if key == frames.Token {
		return "token"
	}
	return wire.Name(key)
}

// player holds a recorded conversation again.
type player struct {
	addr  string
	links map[int]*link
	names *translation
	last  int32 // correlation id
	all   []*exchange
	due   map[int]*exchange // by the number of their answers

	served map[int16]versions
}

// versions are those of an API that the server serves, both included.
type versions struct{ min, max int16 }

// Hold holds a conversation with the server at addr and enters what Kafka answered then in kafka, and what the server
// answers in ours. An error is what is not to be: an answer that does not decode, none in time.
func Hold(c frames.Conversation, addr string, kafka, ours *differ.Book) error {
	p := &player{addr: addr, links: map[int]*link{}, names: newTranslation(), due: map[int]*exchange{}}
	defer p.end()
	if err := p.introduce(); err != nil {
		return fmt.Errorf("ask what is served: %w", err)
	}
	if err := p.pair(c.Frames); err != nil {
		return err
	}
	for _, f := range c.Frames {
		if err := p.frame(f); err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	p.enter(c.String(), kafka, ours)
	return nil
}

// introduce asks the server what it serves.
func (p *player) introduce() error {
	l, err := dial(p.addr)
	if err != nil {
		return err
	}
	defer l.nc.Close()
	q := frames.Frame{Key: wire.KeyApiVersions}
	if err := l.send(q.Encode(&wire.RequestHeader{RequestApiKey: q.Key, ClientID: new(string)}, &wire.ApiVersionsRequest{}), 0, true); err != nil {
		return err
	}
	payload, err := l.answer(0)
	if err != nil {
		return err
	}
	_, body, err := frames.NewResponse(q, payload).Decode()
	if err != nil {
		return err
	}
	p.served = map[int16]versions{}
	for _, a := range body.(*wire.ApiVersionsResponse).ApiKeys {
		p.served[a.ApiKey] = versions{a.MinVersion, a.MaxVersion}
	}
	return nil
}

func (p *player) end() {
	for _, l := range p.links {
		l.nc.Close()
	}
}

// pair finds the answer to each request.
func (p *player) pair(all []frames.Frame) error {
	for _, f := range all {
		if !f.Response {
			p.all = append(p.all, &exchange{request: f})
			continue
		}
		x := p.asked(f)
		if x == nil {
			return fmt.Errorf("%s answers no request", f.Name())
		}
		x.response = f
		p.due[f.Number] = x
		if !isToken(f) {
			var err error
			if _, x.recorded, err = f.Decode(); err != nil {
				return err
			}
		}
	}
	return nil
}

// asked is the request that a recorded answer belongs to: the first on its connection that fits and has none yet.
func (p *player) asked(f frames.Frame) *exchange {
	for _, x := range p.all {
		q := x.request
		if x.response.Number == 0 && q.Conn == f.Conn && q.Key == f.Key && q.Correlation() == f.Correlation() {
			return x
		}
	}
	return nil
}

// frame does what is due when a recorded frame is reached. Requests are asked later, but for those that were never answered.
func (p *player) frame(f frames.Frame) error {
	x := p.due[f.Number]
	if x == nil {
		i := slices.IndexFunc(p.all, func(x *exchange) bool { return x.request.Number == f.Number })
		if x = p.all[i]; x.response.Number > 0 {
			return nil
		}
		return p.ask(x)
	}
	for _, y := range p.all {
		if y.request.Number > x.response.Number || y == x || y.asked || !p.needs(x, y) {
			continue
		}
		if err := p.ask(y); err != nil {
			return err
		}
		if y.request.Key != wire.KeyJoinGroup && y.request.Key != wire.KeySyncGroup { // those wait for other members
			if err := p.await(y); err != nil {
				return err
			}
		}
	}
	if err := p.ask(x); err != nil {
		return err
	}
	return p.await(x)
}

// ask sends a request, unless that is done.
func (p *player) ask(x *exchange) error {
	if x.asked {
		return nil
	}
	x.asked = true
	l, err := p.link(x.request.Conn)
	if err != nil {
		return err
	}
	if isToken(x.request) {
		payload, err := l.token(x.request.Payload)
		if err != nil {
			return err
		}
		p.last++
		x.id = p.last
		return x.closed(l.send(payload, x.id, true))
	}
	header, body, err := x.request.Decode()
	over, isOver := errors.AsType[frames.LeftOverError](err)
	if err != nil && !isOver {
		return err
	}
	if !p.serves(x.request) {
		x.outcome = notServed
		return nil
	}
	if err := p.prepare(l, x, body); err != nil {
		return err
	}
	p.last++
	x.id = p.last
	header.(*wire.RequestHeader).CorrelationID = x.id
	tail := x.request.Payload[len(x.request.Payload)-over.Bytes:]
	return x.closed(l.send(append(x.request.Encode(header, body), tail...), x.id, x.request.Answered()))
}

// prepare makes a recorded request one to this server.
func (p *player) prepare(l *link, x *exchange, body wire.Message) (err error) {
	p.names.apply(body)
	switch q := body.(type) {
	case *wire.FetchRequest:
		if x.broughtNothing() {
			q.MaxWaitMs = 0
		}
	case *wire.SaslHandshakeRequest:
		l.mechanism = q.Mechanism
	case *wire.SaslAuthenticateRequest:
		q.AuthBytes, err = l.token(q.AuthBytes)
	}
	return err
}

// serves says whether the server can be asked that. Which versions of ApiVersions it knows, every client finds out by
// asking.
func (p *player) serves(q frames.Frame) bool {
	v, ok := p.served[q.Key]
	return ok && v.min <= q.Version && q.Version <= v.max || q.Key == wire.KeyApiVersions
}

// closed notes that the server hung up instead of answering; any other error is returned.
func (x *exchange) closed(err error) error {
	if errors.Is(err, errHungUp) {
		x.outcome = hungUpOn
		return nil
	}
	return err
}

func (p *player) link(number int) (*link, error) {
	if l := p.links[number]; l != nil {
		return l, nil
	}
	l, err := dial(p.addr)
	if err != nil {
		return nil, err
	}
	p.links[number] = l
	return l, nil
}

// await reads the answer to a request that was sent, unless that is done.
func (p *player) await(x *exchange) error {
	if x.live != nil || x.outcome != "" {
		return nil
	}
	l := p.links[x.request.Conn]
	if err := p.read(l, x); err != nil || x.outcome != "" {
		return x.closed(err)
	}
	for end := time.Now().Add(againTimeout); x.again() && time.Now().Before(end); {
		time.Sleep(againInterval)
		x.asked = false
		if err := p.ask(x); err != nil {
			return err
		}
		if err := p.read(l, x); err != nil {
			return x.closed(err)
		}
	}
	p.learn(l, x)
	return nil
}

// read reads the next answer.
func (p *player) read(l *link, x *exchange) error {
	payload, err := l.answer(x.id)
	if err != nil {
		return err
	}
	if isToken(x.request) {
		l.challenged(payload)
		x.recorded, x.live = &wire.SaslAuthenticateResponse{AuthBytes: withoutMadeUp(x.response.Payload)}, &wire.SaslAuthenticateResponse{AuthBytes: withoutMadeUp(payload)}
		return nil
	}
	f := frames.NewResponse(x.request, payload)
	header, body, err := f.Decode()
	if err != nil {
		return err
	}
	if again := f.Encode(header, body); !bytes.Equal(again, payload) {
		return fmt.Errorf("the answer is not what its own fields encode to:\n%x\n%x", payload, again)
	}
	x.live, x.version = body, f.Version
	return nil
}

// learn takes from an answer what the requests after it need.
func (p *player) learn(l *link, x *exchange) {
	if isToken(x.request) {
		return
	}
	p.names.learn(x.recorded, x.live)
	p.names.trim(x.recorded, x.live)
	withoutAgeless(x.recorded)
	withoutAgeless(x.live)
	if a, ok := x.live.(*wire.SaslAuthenticateResponse); ok {
		l.challenged(a.AuthBytes)
		r := x.recorded.(*wire.SaslAuthenticateResponse)
		a.AuthBytes, r.AuthBytes = withoutMadeUp(a.AuthBytes), withoutMadeUp(r.AuthBytes)
	}
}

// broughtNothing says whether a request is a fetch that brought no records.
func (x *exchange) broughtNothing() bool {
	r, ok := x.recorded.(*wire.FetchResponse)
	if !ok {
		return false
	}
	n := 0
	for _, t := range r.Responses {
		for _, p := range t.Partitions {
			n += p.Records.Len()
		}
	}
	return n == 0
}
