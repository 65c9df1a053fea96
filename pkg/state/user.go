package state

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Limits of users.
const (
	UsersMax         = 10_000 // how many users may have credentials
	UserNameBytesMax = 255    // of a user's name
	SaltBytesMax     = 255    // of a credential's salt
	IterationsMin    = 4096   // of a credential, both included; Kafka's (KIP-554)
	IterationsMax    = 16384
)

// credentialsMax is how many credentials a user may have: one for each mechanism.
const credentialsMax = 2

// keyBytes is the length of the keys of each mechanism, by its number.
var keyBytes = map[int8]int{ScramSHA256: 32, ScramSHA512: 64}

// Numbers of the SCRAM mechanisms, as in Kafka (KIP-554).
const (
	ScramSHA256 int8 = 1
	ScramSHA512 int8 = 2
)

// Credential is what the server keeps of a user to check a SCRAM proof (RFC 5802), and not enough to make one. The slices in
// it never change.
type Credential struct {
	Mechanism  int8 // ScramSHA256 or ScramSHA512
	Iterations int32
	Salt       []byte
	StoredKey  []byte // as long as the mechanism's hash
	ServerKey  []byte // likewise
}

// User is somebody with at least one credential. Credentials are sorted by mechanism, which are different ones.
type User struct {
	Name        string
	Credentials []Credential // read-only
}

// UpsertCredential gives a user a credential, in place of the one of the same mechanism if there is one; the user is created if
// need be. Refused with UnsupportedSaslMechanism, with UnacceptableCredential beyond the limits above, and with PolicyViolation
// when there are [UsersMax] users already.
type UpsertCredential struct {
	User string
	Credential
}

// DeleteCredential takes a credential away, and with the last one the user. Refused with ResourceNotFound.
type DeleteCredential struct {
	User      string
	Mechanism int8
}

// CreateSecret gives the cluster the secret by which it answers clients that log in as a user who does not exist. Any later one
// changes nothing.
type CreateSecret struct {
	Secret []byte
}

func (UpsertCredential) kind() byte { return kindUpsertCredential }
func (DeleteCredential) kind() byte { return kindDeleteCredential }
func (CreateSecret) kind() byte     { return kindCreateSecret }

func (c UpsertCredential) append(b []byte) []byte {
	return c.Credential.append(appendString(b, c.User))
}
func (c *UpsertCredential) decode(d *decoder) { c.User, c.Credential = d.string(), d.credential() }
func (c DeleteCredential) append(b []byte) []byte {
	return append(appendString(b, c.User), byte(c.Mechanism))
}
func (c *DeleteCredential) decode(d *decoder) { c.User, c.Mechanism = d.string(), d.int8() }
func (c CreateSecret) append(b []byte) []byte { return appendBytes(b, c.Secret) }
func (c *CreateSecret) decode(d *decoder)     { c.Secret = d.bytes() }

// Secret is what the first CreateSecret command gave; empty before. It must not be changed, nor shown to anybody.
func (s *State) Secret() []byte { return s.secret }

// Credential returns the credential of a user for a mechanism.
func (s *State) Credential(user string, mechanism int8) (Credential, bool) {
	for _, c := range s.users[user] {
		if c.Mechanism == mechanism {
			return c, true
		}
	}
	return Credential{}, false
}

// hashing is how a credential hashes its password.
type hashing struct {
	mechanism  int8
	iterations int32
}

// Iterations returns the iterations of one of the users' credentials for a mechanism, chosen by draw: each count comes as often
// as its share of the users, and for most draws it stays the same while users come and go. It is 0 where nobody has a
// credential for the mechanism. Users who do not exist are given it, so that the count does not tell who does.
func (s *State) Iterations(mechanism int8, draw uint32) int32 {
	var counts []int32
	credentials := 0
	for h, n := range s.hashings {
		if h.mechanism == mechanism {
			counts, credentials = append(counts, h.iterations), credentials+n
		}
	}
	slices.Sort(counts)
	at := int(uint64(draw) * uint64(credentials) >> 32)
	for _, iterations := range counts {
		if at -= s.hashings[hashing{mechanism, iterations}]; at < 0 {
			return iterations
		}
	}
	return 0
}

// User returns the user with a name.
func (s *State) User(name string) (User, bool) {
	credentials, ok := s.users[name]
	return User{name, credentials}, ok
}

// UserCount returns how many users there are.
func (s *State) UserCount() int { return len(s.users) }

// Users yields all users, by name.
func (s *State) Users() iter.Seq[User] {
	return func(yield func(User) bool) {
		for _, name := range slices.Sorted(maps.Keys(s.users)) {
			if !yield(User{name, s.users[name]}) {
				return
			}
		}
	}
}

func (s *State) createSecret(c *CreateSecret, _ *Result) {
	if len(s.secret) == 0 {
		s.secret = c.Secret
	}
}

// upsertCredential does not change the slice that was there: a clone of the state may have it too.
func (s *State) upsertCredential(c *UpsertCredential, r *Result) {
	if r.Code = s.acceptable(c); r.Code != kerr.None {
		return
	}
	others := s.without(c.User, c.Mechanism)
	others = append(others, c.Credential)
	slices.SortFunc(others, func(a, b Credential) int { return cmp.Compare(a.Mechanism, b.Mechanism) })
	s.setCredentials(c.User, others)
}

// acceptable says why a credential is refused, or None.
func (s *State) acceptable(c *UpsertCredential) kerr.Code {
	size, ok := keyBytes[c.Mechanism]
	switch {
	case !ok:
		return kerr.UnsupportedSaslMechanism
	case c.User == "" || len(c.User) > UserNameBytesMax || len(c.Salt) > SaltBytesMax,
		c.Iterations < IterationsMin || c.Iterations > IterationsMax,
		len(c.StoredKey) != size || len(c.ServerKey) != size:
		return kerr.UnacceptableCredential
	case s.users[c.User] == nil && len(s.users) >= UsersMax:
		return kerr.PolicyViolation
	}
	return kerr.None
}

func (s *State) deleteCredential(c *DeleteCredential, r *Result) {
	if _, ok := s.Credential(c.User, c.Mechanism); !ok {
		r.Code = kerr.ResourceNotFound
		return
	}
	s.setCredentials(c.User, s.without(c.User, c.Mechanism))
}

// setCredentials gives a user these credentials and no others; without any the user is gone.
func (s *State) setCredentials(user string, credentials []Credential) {
	s.countHashings(s.users[user], -1)
	s.countHashings(credentials, 1)
	s.users[user] = credentials
	if len(credentials) == 0 {
		delete(s.users, user)
	}
}

func (s *State) countHashings(credentials []Credential, by int) {
	for _, c := range credentials {
		h := hashing{c.Mechanism, c.Iterations}
		s.hashings[h] += by
		if s.hashings[h] == 0 {
			delete(s.hashings, h)
		}
	}
}

// without returns a new slice of a user's credentials for other mechanisms.
func (s *State) without(user string, mechanism int8) []Credential {
	others := make([]Credential, 0, credentialsMax)
	for _, c := range s.users[user] {
		if c.Mechanism != mechanism {
			others = append(others, c)
		}
	}
	return others
}

// Least sizes in a snapshot.
const (
	credentialBytesMin = 1 + 4 + 3
	userBytesMin       = 1 + 1
)

func (u User) append(b []byte) []byte {
	b = appendUvarint(appendString(b, u.Name), len(u.Credentials))
	for _, c := range u.Credentials {
		b = c.append(b)
	}
	return b
}

func (d *decoder) user() User {
	u := User{Name: d.string()}
	for range d.count(credentialBytesMin) {
		u.Credentials = append(u.Credentials, d.credential())
	}
	return u
}

func (c Credential) append(b []byte) []byte {
	b = appendInt32(append(b, byte(c.Mechanism)), c.Iterations)
	return appendBytes(appendBytes(appendBytes(b, c.Salt), c.StoredKey), c.ServerKey)
}

func (d *decoder) credential() Credential {
	return Credential{d.int8(), d.int32(), d.bytes(), d.bytes(), d.bytes()}
}
