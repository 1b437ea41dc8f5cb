// Package mp holds the nouns of the project: identifiers, limits, the causes
// for which a mini-program ends, and the sentinel errors that callers branch on.
//
// It imports the standard library alone, so that every other package may
// import it without drawing anything else in.
package mp

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// AppID names a mini-program as its manifest does (app_id), for example
// "com.example.loan". It says nothing about which version, and nothing about
// who may use the name.
type AppID string

// InstanceID names one running worker. It is unique for the life of a
// supervisor and safe as a file name, a cgroup name and a host name.
type InstanceID string

// maxInstanceID is the longest identifier in bytes.
const maxInstanceID = 32

// NewInstanceID returns a fresh identifier of 60 random bits.
func NewInstanceID() InstanceID {
	const alphabet = "abcdefghijkmnpqrstuvwxyz23456789" // 32 letters, none alike
	var b [12]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return InstanceID(b[:])
}

// Valid reports whether id has the form that NewInstanceID gives. Whatever
// came over a socket is checked with it before it becomes a path.
// It is 1 to 32 of a-z, 0-9 and "-", which is not the first.
//
// No regular expression: every worker and every start would pay for compiling it.
func (id InstanceID) Valid() bool {
	if id == "" || len(id) > maxInstanceID || id[0] == '-' {
		return false
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// Digest is the SHA-256 of a package's bytes: the identity of its content.
type Digest [sha256.Size]byte

// String gives the digest in the form "sha256:" and 64 hexadecimal digits.
func (d Digest) String() string { return "sha256:" + hex.EncodeToString(d[:]) }

// ParseDigest reads the form that String gives, and nothing else.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	const prefix = "sha256:"
	if len(s) != len(prefix)+2*len(d) || s[:len(prefix)] != prefix {
		return d, fmt.Errorf("digest %.80q is not sha256: and 64 hexadecimal digits", s)
	}
	if _, err := hex.Decode(d[:], []byte(s[len(prefix):])); err != nil {
		return d, fmt.Errorf("digest %.80q: %w", s, err)
	}
	return d, nil
}

// MarshalText gives the form of String, for JSON and TOML.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the form of String.
func (d *Digest) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDigest(string(b))
	return err
}
