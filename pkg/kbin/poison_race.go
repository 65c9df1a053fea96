//go:build race

package kbin

// poisonByte is unlike anything a message is likely to hold: a length of it is negative, a letter of it is not UTF-8.
const poisonByte = 0xDB

// Poison overwrites b, whose owner is about to use it for something else: views of it that somebody kept can then not be
// mistaken for what they were. It does so only in builds with the race detector, and nothing in all others.
func Poison(b []byte) {
	for i := range b {
		b[i] = poisonByte
	}
}
