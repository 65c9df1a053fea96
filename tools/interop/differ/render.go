package differ

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// top is where the fields of a response itself are; those of structs in it are at a path.
const top = "."

// Field is one value of an answer, as text that is the same for any two servers that mean the same.
type Field struct {
	At    string // path of the struct: Responses[t].PartitionResponses[0]; elements by name, id or index where they have one
	Name  string // of the field; the spec's
	Value string // no spaces outside of quotes
	Words string // of a message to people: what it said, which is no part of the value
}

// names are the ids that servers choose as they like, by order of appearance in a conversation.
type names struct {
	topics    map[kbin.UUID]string
	unknown   int               // topics without a name
	members   map[string]string // by the part of their ids that is made up
	producers map[int64]string
	sessions  map[int32]string
}

// idOf stands before a topic's name where its id is meant.
const idOf = "id-of-"

// introduce calls a topic's id by the topic's name.
func (n *names) introduce(id kbin.UUID, name string) {
	if name = unquote(name); !id.IsZero() && name != "" && name != "null" {
		n.put(id, idOf+name)
	}
}

func (n *names) put(id kbin.UUID, name string) {
	if n.topics == nil {
		n.topics = map[kbin.UUID]string{}
	}
	n.topics[id] = name
}

// topic is the name of a topic's id.
func (n *names) topic(id kbin.UUID) string {
	name, ok := n.topics[id]
	if !ok {
		n.unknown++
		name = "id-" + strconv.Itoa(n.unknown)
		n.put(id, name)
	}
	return name
}

// nameOf is the name of an id of another kind.
func nameOf[K comparable](m *map[K]string, prefix string, id K) string {
	if *m == nil {
		*m = map[K]string{}
	}
	if _, ok := (*m)[id]; !ok {
		(*m)[id] = prefix + strconv.Itoa(len(*m)+1)
	}
	return (*m)[id]
}

// render writes a response as fields: all that are there in the version, but for those that only the server's clock and load
// decide. Empty lists and default structs are left out.
func (c *Conversation) render(m wire.Message, version int16) []Field {
	r := renderer{c: c, version: version}
	r.object(top, reflect.ValueOf(m).Elem(), "")
	return r.fields
}

type renderer struct {
	c       *Conversation
	version int16
	fields  []Field
	places  map[string]int // paths of elements so far
}

func (r *renderer) put(at, name, value string) {
	r.fields = append(r.fields, Field{At: at, Name: name, Value: value})
}

// object writes the fields of a struct, without the one that is in its path already.
func (r *renderer) object(at string, v reflect.Value, known string) {
	r.introduce(v)
	before := len(r.fields)
	var inner []int
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch {
		case f.Name == known || f.Name == "ThrottleTimeMs" || !present(v.Type(), i, r.version):
		case isObject(f.Type):
			inner = append(inner, i)
			r.size(at, f, v.Field(i))
		default:
			r.scalar(at, f, v.Field(i))
		}
	}
	for _, i := range inner {
		r.inner(join(at, v.Type().Field(i).Name), v.Type().Field(i), v.Field(i))
	}
	if len(r.fields) == before {
		r.put(at, there, "yes")
	}
}

// introduce calls a topic's id by the topic's name, if they stand side by side.
func (r *renderer) introduce(v reflect.Value) {
	id, name := v.FieldByName("TopicID"), v.FieldByName("Name")
	if id.IsValid() && name.IsValid() {
		r.c.names.introduce(id.Interface().(kbin.UUID), r.value("Name", name))
	}
}

// isObject says whether a field's value has fields of its own.
func isObject(t reflect.Type) bool {
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct
}

func join(at, name string) string {
	if at == top {
		return name
	}
	return at + "." + name
}

// inner writes a struct inside of another, or a list of them.
func (r *renderer) inner(at string, f reflect.StructField, v reflect.Value) {
	switch {
	case f.Type == reflect.TypeFor[kbin.Records]():
		r.records(at, v.Interface().(kbin.Records).Bytes)
	case f.Type.Kind() == reflect.Struct:
		if !v.Equal(fresh(f.Type)) {
			r.object(at, v, "")
		}
	default:
		r.list(at, v)
	}
}

// nullable are the lists in responses that can be null, which differs from empty.
var nullable = map[string]bool{"AbortedTransactions": true, "Configs": true, "Entries": true}

// size writes, as a field of the struct it is in, whether a list that can be null is null or empty, and how many batches or
// messages there are in records.
func (r *renderer) size(at string, f reflect.StructField, v reflect.Value) {
	switch records, ok := v.Interface().(kbin.Records); {
	case ok:
		r.put(at, f.Name, countOf(records.Bytes))
	case nullable[f.Name] && v.IsNil():
		r.put(at, f.Name, "null")
	case nullable[f.Name] && v.Len() == 0:
		r.put(at, f.Name, "empty")
	}
}

// identities are the fields that tell elements of a list apart, the best one first.
var identities = []string{
	"Name", "Topic", "TopicID", "Index", "PartitionIndex", "Partition", "ApiKey", "Key", "GroupID", "MemberID", "User", "ResourceName", "NodeID", "BrokerID",
}

// list writes the elements of a list. Those with an identity are written in its order, because servers list them as their
// hash tables have them.
func (r *renderer) list(at string, v reflect.Value) {
	type element struct {
		value    reflect.Value
		id, name string
	}
	var all []element
	for i := range v.Len() {
		e := element{value: v.Index(i), id: strconv.Itoa(len(all))}
		if !r.ours(e.value) {
			continue
		}
		for _, name := range identities {
			if f, ok := e.value.Type().FieldByName(name); ok && present(e.value.Type(), f.Index[0], r.version) {
				if id := r.value(name, e.value.FieldByIndex(f.Index)); id != "null" {
					e.id, e.name = strings.TrimPrefix(unquote(id), idOf), name
					break
				}
			}
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b element) int { return inOrder(a.id, b.id) })
	for _, e := range all {
		r.object(r.place(at, e.id, isContainer(v.Type().Elem(), e.name)), e.value, e.name)
	}
}

// place is the path of an element. Of elements with the same identity, the later ones are numbered, unless they only contain
// others: whether a server answers about a topic in one place or in two says nothing.
func (r *renderer) place(at, id string, container bool) string {
	path := at + "[" + quoteID(id)
	if container {
		return path + "]"
	}
	if r.places == nil {
		r.places = map[string]int{}
	}
	r.places[path]++
	if n := r.places[path]; n > 1 {
		return path + "#" + strconv.Itoa(n) + "]"
	}
	return path + "]"
}

// isContainer says whether a struct has nothing of its own but lists of structs, and the field that identifies it.
func isContainer(t reflect.Type, identity string) bool {
	for i := range t.NumField() {
		if f := t.Field(i); !isObject(f.Type) && !slices.Contains(identities, f.Name) {
			return false
		}
	}
	return identity != ""
}

// inOrder compares numbers as numbers and all else as text.
func inOrder(a, b string) int {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(a, b)
}

// topicConfig is the source of a setting that a topic has of its own.
const topicConfig = 1

// ours says whether an element belongs to the conversation: topics of others, and APIs that we do not serve, do not.
func (r *renderer) ours(v reflect.Value) bool {
	switch e := v.Interface().(type) {
	case wire.MetadataResponseTopic:
		return e.Name == nil || e.ErrorCode != 0 || strings.HasSuffix(*e.Name, r.c.suffix)
	case wire.ApiVersionsResponseApiVersion:
		_, ok := Served[e.ApiKey]
		return ok
	case wire.ListGroupsResponseListedGroup:
		return strings.HasSuffix(e.GroupID, r.c.suffix)
	case wire.DescribeUserScramCredentialsResponseDescribeUserScramCredentialsResult:
		return e.ErrorCode != 0 || strings.HasSuffix(e.User, r.c.suffix)
	case wire.DescribeLogDirsResponseDescribeLogDirsTopic:
		return strings.HasSuffix(e.Name, r.c.suffix)
	case wire.ElectLeadersResponseReplicaElectionResult:
		return strings.HasSuffix(e.Topic, r.c.suffix) || e.Topic == ""
	case wire.CreateTopicsResponseCreatableTopicConfigs:
		return r.c.allConfigs || e.ConfigSource == topicConfig
	}
	return true
}

// scalar writes a field that has no fields of its own.
func (r *renderer) scalar(at string, f reflect.StructField, v reflect.Value) {
	if f.Type.Kind() == reflect.Slice && v.Len() == 0 {
		return
	}
	field := Field{At: at, Name: f.Name, Value: r.value(f.Name, v)}
	if s, ok := v.Interface().(*string); ok && (strings.HasSuffix(f.Name, "ErrorMessage") || f.Name == "Documentation") && s != nil {
		field.Value, field.Words = "some", times.ReplaceAllString(strings.ReplaceAll(*s, r.c.suffix, ""), "(time)")
	}
	r.fields = append(r.fields, field)
}

// uuids finds what servers make up in the ids of members, which begin with what the member is called.
var uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// secret writes a token of a SASL mechanism without what both sides make up for it.
func secret(token []byte) string {
	return quote(madeUp.ReplaceAllString(string(token), "$1=…"))
}

// madeUp finds nonces and proofs in tokens of SCRAM.
var madeUp = regexp.MustCompile(`\b([rv])=[^,]+`)

// times finds timestamps in messages to people.
var times = regexp.MustCompile(`-?\d{13,}`)

// value writes a value so that what servers may choose reads the same for all.
func (r *renderer) value(name string, v reflect.Value) string {
	switch x := v.Interface().(type) {
	case kbin.UUID:
		if x.IsZero() {
			return "none"
		}
		return r.c.names.topic(x)
	case *string:
		if x == nil {
			return "null"
		}
		return r.value(name, v.Elem())
	case string:
		return r.str(name, x)
	case []byte:
		if name == "AuthBytes" {
			return secret(x)
		}
		return quote(strings.ReplaceAll(string(x), r.c.suffix, ""))
	case bool:
		return yesNo(x)
	}
	if v.Kind() == reflect.Slice {
		var all []string
		for i := range v.Len() {
			all = append(all, r.value(name, v.Index(i)))
		}
		if name == "Mechanisms" {
			slices.Sort(all) // Kafka has them in the order of its hash table
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	return r.number(name, v.Int())
}

func (r *renderer) str(name, s string) string {
	switch {
	case name == "ClusterID" && s != "":
		return "cluster"
	case name == "Host" && s == r.c.t.host:
		return "host"
	case name == "LogDir" && s != "":
		return "dir"
	case name == "MemberID" || name == "Leader":
		s = uuids.ReplaceAllStringFunc(s, func(id string) string { return nameOf(&r.c.names.members, "member-", id) })
		return strconv.Quote(strings.ReplaceAll(s, r.c.suffix, "")) // in full, because lists of members are told apart by it
	}
	return quote(strings.ReplaceAll(s, r.c.suffix, ""))
}

func (r *renderer) number(name string, n int64) string {
	switch name {
	case "ErrorCode", "TopicConfigErrorCode":
		return kerr.Code(n).Name()
	case "NodeID", "BrokerID", "LeaderID", "ControllerID", "ReplicaNodes", "IsrNodes", "OfflineReplicas":
		if n == int64(r.c.t.node) {
			return "me"
		}
	case "Port":
		if n == int64(r.c.t.port) {
			return "port"
		}
	case "ProducerID":
		if n >= 0 {
			return nameOf(&r.c.names.producers, "producer-", n)
		}
	case "SessionID":
		if n != 0 {
			return nameOf(&r.c.names.sessions, "session-", int32(n))
		}
	case "Timestamp", "LogAppendTimeMs":
		return r.time(n)
	case "FinalizedFeaturesEpoch", "TotalBytes", "UsableBytes":
		if n >= 0 {
			return "some"
		}
	}
	return strconv.FormatInt(n, 10)
}

// time writes a timestamp: "now" for the clock's, relative to base for those that scripts make.
func (r *renderer) time(ms int64) string {
	const near = int64(time.Hour / time.Millisecond)
	now := time.Now().UnixMilli()
	switch base := r.c.t.base; {
	case ms > now-near/2 && ms < now+near/2:
		return "now"
	case ms > base-near && ms < base+near:
		return fmt.Sprintf("base%+d", ms-base)
	}
	return strconv.FormatInt(ms, 10)
}

// quoteMax is how much of a long text is shown.
const quoteMax = 40

func quote(s string) string {
	if len(s) <= quoteMax {
		return strconv.Quote(s)
	}
	return fmt.Sprintf("%q…%d", s[:quoteMax/2], len(s))
}

func unquote(s string) string {
	if plain, err := strconv.Unquote(s); err == nil {
		return plain
	}
	return s
}

// quoteID leaves names that need no quotes as they are.
func quoteID(s string) string {
	plain := func(c rune) bool {
		return c == '-' || c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	if s != "" && !strings.ContainsFunc(s, func(c rune) bool { return !plain(c) }) {
		return s
	}
	return strings.ReplaceAll(strconv.Quote(s), " ", `\x20`)
}

// fresh is a struct with its spec's defaults.
func fresh(t reflect.Type) reflect.Value {
	p := reflect.New(t)
	if m, ok := p.Interface().(wire.Message); ok {
		m.Reset()
	}
	return p.Elem()
}

// presence remembers what present found out.
var presence sync.Map

// present says whether a version has a field: whether the bytes depend on it.
func present(t reflect.Type, field int, version int16) bool {
	type key struct {
		t       reflect.Type
		field   int
		version int16
	}
	k := key{t, field, version}
	if known, ok := presence.Load(k); ok {
		return known.(bool)
	}
	plain, other := fresh(t), fresh(t)
	disturb(other.Field(field))
	found := string(encode(plain, version)) != string(encode(other, version))
	presence.Store(k, found)
	return found
}

func encode(v reflect.Value, version int16) []byte {
	return v.Addr().Interface().(wire.Message).Append(nil, version)
}

// disturb gives a field a value that is not its default.
func disturb(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		disturb(v.Elem())
	case reflect.Slice:
		v.Set(reflect.Append(v, fresh(v.Type().Elem())))
	case reflect.Array:
		disturb(v.Index(0))
	case reflect.Struct:
		disturb(v.Field(0))
	case reflect.Uint8:
		v.SetUint(v.Uint() + 1)
	default:
		v.SetInt(v.Int() + 1)
	}
}
