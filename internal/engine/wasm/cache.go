package wasm

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"unsafe"

	"github.com/tetratelabs/wazero"
)

// shelf is where wazero looks for compiled code, and puts what it made: one
// module's, in memory. A worker has no file system, and gets none for this.
type shelf struct {
	code  Code // what there is; empty: nothing
	made  Code // what was put
	asked bool // code was taken from it
	why   string
}

// Code is a compiled module: wazero's key, a checksum, and then what wazero made.
// The key is SHA-256 of the module's own hash and of what the code needs of the
// processor, and tells whether it is for this module here. The checksum is of
// what follows: wazero takes memory for what it reads there before it can know
// that it is damaged.
type Code []byte

const (
	keySize    = sha256.Size
	codeHeader = keySize + sha256.Size
)

// newCode puts a key and a checksum before what wazero made.
func newCode(key [keySize]byte, content []byte) Code {
	sum := sha256.Sum256(content)
	return slices.Concat(key[:], sum[:], content)
}

// content gives what wazero made, or says why it cannot be used.
func (c Code) content(key [keySize]byte) (b []byte, why string) {
	if len(c) < codeHeader {
		return nil, "the code is damaged: it is cut short"
	}
	sum := sha256.Sum256(c[codeHeader:])
	switch {
	case !bytes.Equal(c[keySize:codeHeader], sum[:]):
		return nil, "the code is damaged: its checksum differs"
	case !bytes.Equal(c[:keySize], key[:]):
		return nil, "the code is another module's, or for another processor"
	}
	return c[codeHeader:], ""
}

// Get gives wazero the code.
func (s *shelf) Get(key [keySize]byte) (io.ReadCloser, bool, error) {
	if len(s.code) == 0 {
		return nil, false, nil
	}
	content, why := s.code.content(key)
	if why != "" {
		s.why = why
		return nil, false, nil
	}
	s.asked = true
	return io.NopCloser(bytes.NewReader(content)), true, nil
}

// Add takes from wazero what it has compiled.
func (s *shelf) Add(key [keySize]byte, content io.Reader) error {
	b, err := io.ReadAll(content)
	s.made = newCode(key, b)
	return err
}

// Delete takes back code that another version of wazero made.
func (s *shelf) Delete([keySize]byte) error {
	s.asked, s.why = false, "another version of wazero made the code"
	return nil
}

var errSeam = errors.New("cannot give wazero compiled code: this version keeps its cache elsewhere")

// newCache makes a compilation cache of a shelf. What wazero documents is a
// directory; behind it is an interface of three methods, in the field fileCache,
// which this puts the shelf into. The version of wazero is pinned, and where the
// field is another one this fails and nothing is compiled. docs/decisions.md has
// the reason.
func newCache(s *shelf) (wazero.CompilationCache, error) {
	cache := wazero.NewCompilationCache()
	v := reflect.ValueOf(cache)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil, errSeam
	}
	field := v.Elem().FieldByName("fileCache")
	if !field.IsValid() || field.Kind() != reflect.Interface || !reflect.TypeOf(s).Implements(field.Type()) {
		return nil, errSeam
	}
	reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Set(reflect.ValueOf(s))
	return cache, nil
}

// fallback says why code from elsewhere was not used.
func (s *shelf) fallback(err error) string {
	if s.why == "" {
		return fmt.Sprintf("the code is damaged: %v", err) // with a checksum that somebody made for it
	}
	return s.why
}
