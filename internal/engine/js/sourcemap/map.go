// Package sourcemap finds out where a place in generated code came from, by the
// map that a bundler left beside it (ECMA-426).
//
// A map is read as a stream, and of it are kept the mappings as they are written
// and the names of the sources; what the sources contain is skipped. Places are
// looked up by walking the mappings once, for all places together: that takes
// milliseconds for a megabyte of code, and no index is kept in memory.
//
// Do not assume that a map is honest: it says what the program's author wants it
// to say. Index maps, which have sections, are not read.
package sourcemap

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is read, in bytes, and of what is kept.
const (
	MaxMap      = 16 << 20
	maxMappings = 8 << 20
	maxSources  = 16 << 10
	maxName     = 256 // of a source, in bytes
)

// Map is one source map.
type Map struct {
	sources  []string
	mappings string
}

var (
	errLarge   = errors.New("it is too large")
	errVersion = errors.New("its version is not 3")
	errForm    = errors.New("it is not a JSON object with mappings and sources")
)

// Parse reads a map, of at most MaxMap bytes. Dir is the directory that the map is
// in, relative to which the sources are named.
func Parse(r io.Reader, dir string) (*Map, error) {
	limited := &io.LimitedReader{R: r, N: MaxMap + 1}
	p := parser{d: json.NewDecoder(limited)}
	err := p.object()
	switch {
	case limited.N == 0:
		err = errLarge
	case err == nil:
		err = p.check()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the source map: %w", err)
	}
	m := &Map{mappings: p.mappings}
	for _, s := range p.sources {
		m.sources = append(m.sources, nameOf(dir, p.root, s))
	}
	return m, nil
}

// parser reads the members that count, one after the other.
type parser struct {
	d              *json.Decoder
	version        int
	root, mappings string
	sources        []string
}

func (p *parser) object() error {
	if t, err := p.d.Token(); err != nil || t != json.Delim('{') {
		return errForm
	}
	for p.d.More() {
		key, err := p.d.Token()
		if err != nil {
			return err
		}
		if err := p.member(key); err != nil {
			return err
		}
	}
	_, err := p.d.Token()
	return err
}

func (p *parser) member(key json.Token) error {
	switch key {
	case "version":
		return p.d.Decode(&p.version)
	case "sourceRoot":
		return p.text(&p.root)
	case "mappings":
		return p.text(&p.mappings)
	case "sources":
		return p.names()
	}
	return p.skip()
}

// text reads a string, or null for none.
func (p *parser) text(to *string) error {
	t, err := p.d.Token()
	if err != nil {
		return err
	}
	s, ok := t.(string)
	if !ok && t != nil {
		return errForm
	}
	*to = s
	return nil
}

func (p *parser) names() error {
	if t, err := p.d.Token(); err != nil || t != json.Delim('[') {
		return errForm
	}
	p.sources = nil
	for p.d.More() {
		var s string
		if err := p.text(&s); err != nil {
			return err
		}
		if len(p.sources) == maxSources {
			return errLarge
		}
		p.sources = append(p.sources, s)
	}
	_, err := p.d.Token()
	return err
}

// skip reads over a value, a token at a time.
func (p *parser) skip() error {
	for depth := 0; ; {
		t, err := p.d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

func (p *parser) check() error {
	switch {
	case p.version != 3:
		return errVersion
	case p.mappings == "" || len(p.sources) == 0:
		return errForm
	case len(p.mappings) > maxMappings:
		return errLarge
	}
	return nil
}

// nameOf is the name of a source for people: its path from the package's root on
// where that can be said. A name that cannot stand in a line of text is none.
func nameOf(dir, root, source string) string {
	if root != "" {
		source = strings.TrimSuffix(root, "/") + "/" + source
	}
	if !strings.Contains(source, "://") && !path.IsAbs(source) {
		source = path.Join(dir, source)
	}
	if len(source) > maxName || !utf8.ValidString(source) || strings.ContainsFunc(source, unprintable) {
		return ""
	}
	return source
}

func unprintable(r rune) bool {
	return !unicode.IsPrint(r) || strings.ContainsRune("()\u2028\u2029", r)
}
