package differ

import "github.com/heraclitus/heraclitus/pkg/wire"

// Witness writes what one server answered as fields, as scripts do, for tests that hold conversations of another
// kind. Ids are named in the order in which they appear.
type Witness struct{ c Conversation }

// NewWitness is a witness of a server, which calls itself by that host, port and node id.
func NewWitness(host string, port, node int32) *Witness {
	return &Witness{Conversation{t: &Target{host: host, port: port, node: node}}}
}

// Write is Answer.Fields for a response in a version.
func (w *Witness) Write(m wire.Message, version int16) []Field { return w.c.render(m, version) }

// NoAnswer is Answer.Fields of a step in which something became of the connection instead of an answer, or of the request.
func NoAnswer(what string) []Field { return []Field{{At: top, Name: "connection", Value: what}} }
