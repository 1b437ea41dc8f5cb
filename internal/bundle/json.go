package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// The bounds of a manifest, held before and while it is parsed.
const (
	MaxManifest = 256 << 10 // bytes
	maxNesting  = 32
)

// value is one JSON value and the line that it begins on. A manifest becomes a
// tree of them first, so that every rule about a member can name its line.
//
// The tokens come from jsontext because it refuses what encoding/json lets
// pass, duplicate names and text that is not UTF-8, and tells where each is.
type value struct {
	line    int
	kind    kind
	text    string   // of a string; of a number, as it is written
	flag    bool     // of a boolean
	list    []*value // of an array
	members []member // of an object, in their order
}

type member struct {
	name string
	line int
	*value
}

// kind is a JSON type by the name that people read.
type kind string

const (
	isNull    kind = "null"
	isBoolean kind = "a boolean"
	isString  kind = "a string"
	isNumber  kind = "a number"
	isObject  kind = "an object"
	isArray   kind = "an array"
)

// member returns the named member of an object.
func (v *value) member(name string) (*value, bool) {
	for _, m := range v.members {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// parser reads tokens of one text and knows the line of each.
type parser struct {
	text    []byte
	tokens  *jsontext.Decoder
	line    int // of the byte at counted
	counted int
}

// parseJSON reads text as exactly one JSON value. Its error is a *ManifestError.
func parseJSON(text []byte) (*value, error) {
	switch {
	case len(text) > MaxManifest:
		return nil, tooLarge(int64(len(text)))
	case len(bytes.TrimSpace(text)) == 0:
		return nil, &ManifestError{Message: "is empty"}
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		return nil, &ManifestError{Line: 1, Message: "begins with a byte order mark: save it as UTF-8 without one"}
	}
	p := &parser{text: text, tokens: jsontext.NewDecoder(bytes.NewBuffer(text)), line: 1}
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	if rest := p.skipSpace(); rest < len(text) {
		return nil, &ManifestError{Line: p.lineAt(rest), Message: "has something after its end"}
	}
	return v, nil
}

// value reads the next value, whatever it is.
func (p *parser) value() (*value, error) {
	token, line, err := p.next()
	if err != nil {
		return nil, err
	}
	v := &value{line: line}
	switch token.Kind() {
	case 'n':
		v.kind = isNull
	case 't', 'f':
		v.kind, v.flag = isBoolean, token.Bool()
	case '"':
		v.kind, v.text = isString, token.String()
	case '0':
		v.kind, v.text = isNumber, token.String()
	case '{':
		v.kind = isObject
		return v, p.object(v)
	case '[':
		v.kind = isArray
		return v, p.array(v)
	}
	return v, nil
}

func (p *parser) object(v *value) error {
	for p.tokens.PeekKind() != '}' {
		name, line, err := p.next()
		if err != nil {
			return err
		}
		m := member{name: name.String(), line: line}
		if m.value, err = p.value(); err != nil {
			return err
		}
		v.members = append(v.members, m)
	}
	_, _, err := p.next()
	return err
}

func (p *parser) array(v *value) error {
	for p.tokens.PeekKind() != ']' {
		item, err := p.value()
		if err != nil {
			return err
		}
		v.list = append(v.list, item)
	}
	_, _, err := p.next()
	return err
}

// next reads one token and tells the line that it begins on.
func (p *parser) next() (jsontext.Token, int, error) {
	p.tokens.PeekKind() // moves over the white space before the token
	token, err := p.tokens.ReadToken()
	if err != nil {
		return token, 0, p.syntaxError(err)
	}
	end := int(p.tokens.InputOffset())
	line := p.lineAt(end)
	if p.tokens.StackDepth() > maxNesting {
		return token, 0, &ManifestError{Line: line, Message: fmt.Sprintf("is nested more than %d deep", maxNesting)}
	}
	return token, line, nil // no JSON token spans lines
}

// syntaxError puts what jsontext found into our words, with its line.
func (p *parser) syntaxError(err error) error {
	var syntax *jsontext.SyntacticError
	if !errors.As(err, &syntax) {
		return p.cutOff() // only the end of the text is left
	}
	line := p.lineAt(int(syntax.ByteOffset))
	switch {
	case errors.Is(syntax.Err, jsontext.ErrDuplicateName):
		return &ManifestError{Member: dotted(syntax.JSONPointer), Line: line, Message: "is there twice"}
	case errors.Is(syntax.Err, io.ErrUnexpectedEOF):
		return p.cutOff()
	}
	return &ManifestError{Line: line, Message: "is not JSON: " + syntax.Err.Error()}
}

func (p *parser) cutOff() error {
	return &ManifestError{Line: p.lineAt(len(p.text)), Message: "is cut off: it ends inside a value"}
}

// lineAt counts lines up to offset, from where it counted last.
func (p *parser) lineAt(offset int) int {
	offset = min(offset, len(p.text))
	if offset < p.counted {
		return 1 + bytes.Count(p.text[:offset], []byte("\n"))
	}
	p.line += bytes.Count(p.text[p.counted:offset], []byte("\n"))
	p.counted = offset
	return p.line
}

// skipSpace gives the offset of the next byte that means something.
func (p *parser) skipSpace() int {
	rest := p.text[p.tokens.InputOffset():]
	return len(p.text) - len(bytes.TrimLeft(rest, " \t\r\n"))
}

// dotted writes a JSON Pointer (RFC 6901) the way people write members.
func dotted(pointer jsontext.Pointer) string {
	var path string
	for token := range pointer.Tokens() {
		path = join(path, token)
	}
	return path
}

// join makes the path of a member of path. A name that is not a plain word is
// quoted, and cut to a length fit for one line.
func join(path, name string) string {
	if !plainName().MatchString(name) {
		name = fmt.Sprintf("%.40q", name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

var plainName = form(`^[A-Za-z0-9_-]{1,40}$`)
