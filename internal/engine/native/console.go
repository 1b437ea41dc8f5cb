package native

import (
	"bytes"
	"os"
	"strings"

	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// console makes console lines of what a program writes to its standard output
// or error.
type console struct {
	in    source
	file  *os.File
	level string
	log   func(level, text string)
	line  []byte // begun and not ended, at most maxLine long
}

// maxLine is how much of a line is kept. It is more than the host keeps, so
// that the host sees that there was more.
const maxLine = wire.MaxLogText + 1

// outputBuffer is read at once.
const outputBuffer = 4 << 10

func newConsole(file *os.File, level string, log func(level, text string)) *console {
	return &console{in: source{file: file}, file: file, level: level, log: log}
}

// run logs every line until the output ends. What has no newline at the end is
// a line, too.
func (c *console) run() {
	b := make([]byte, outputBuffer)
	for {
		n, err := c.in.Read(b)
		c.take(b[:n])
		if err != nil {
			break
		}
	}
	if len(c.line) > 0 {
		c.flush()
	}
}

func (c *console) take(b []byte) {
	for len(b) > 0 {
		part, rest, ended := bytes.Cut(b, []byte{'\n'})
		c.line = append(c.line, part[:min(len(part), maxLine-len(c.line))]...)
		if ended {
			c.flush()
		}
		b = rest
	}
}

// flush logs the line without the carriage return that terminals want.
func (c *console) flush() {
	text := string(bytes.TrimSuffix(c.line, []byte{'\r'}))
	if c.line = c.line[:0]; cap(c.line) > outputBuffer {
		c.line = nil // long lines are rare
	}
	c.log(c.level, strings.ToValidUTF8(text, "\ufffd"))
}
