package wasm

import (
	"bytes"
	"strings"

	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// maxLine is how much of a console line is kept. It is more than the host keeps,
// so that the host sees that there was more.
const maxLine = wire.MaxLogText + 1

// console makes console lines of what the guest writes to its standard output
// or error.
type console struct {
	level string
	log   func(level, text string)
	line  []byte // begun and not ended, at most maxLine long
}

func (c *console) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		part, rest, ended := bytes.Cut(b, []byte{'\n'})
		c.line = append(c.line, part[:min(len(part), maxLine-len(c.line))]...)
		if ended {
			c.end()
		}
		b = rest
	}
	return n, nil
}

// end logs the line, without the carriage return that terminals want.
func (c *console) end() {
	text := string(bytes.TrimSuffix(c.line, []byte{'\r'}))
	c.line = c.line[:0]
	c.log(c.level, strings.ToValidUTF8(text, "\ufffd"))
}

// flush logs what has no newline at its end.
func (c *console) flush() {
	if len(c.line) > 0 {
		c.end()
	}
}
