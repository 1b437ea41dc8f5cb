package native

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
)

// FuzzParse holds that whatever a program sends is answered by one line of
// JSON, if it is answered.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"app"}`, `{"jsonrpc":"2.0","id":"a","method":"log","params":{"level":"info","text":"x"}}`,
		`{"jsonrpc":"2.0","id":1,"result":{"a":[1,2]}}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"m","data":{"stack":"s"}}}`,
		`[]`, `{"id":{}}`, `nul`, "\xff", `{"jsonrpc":"2.0","ID":1,"Method":"x"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.IndexByte(line, '\n') >= 0 {
			return
		}
		m, err := parse(line)
		var reply []byte
		switch {
		case err != nil:
			reply = answer(m.ID, nil, err)
		case m.isAnswer():
			out, err := outcome("f", m, 100)
			if (out == nil) == (err == nil) || len(out) > 100 {
				t.Fatalf("%s, %v", out, err)
			}
			return
		default:
			g := engine.Guest{Program: &engine.Program{AppID: "a"}, Host: &logs{}}
			done := make(chan struct{})
			engine.Ask(t.Context(), g, *m.Method, m.Params, func(result []byte, err error) {
				reply = answer(m.ID, result, err)
				close(done)
			})
			<-done
		}
		body, found := bytes.CutSuffix(reply, []byte{'\n'})
		if !found || bytes.IndexByte(body, '\n') >= 0 || !json.Valid(body) {
			t.Fatalf("%q is answered by %q", line, reply)
		}
	})
}

// FuzzLines holds that a stream is cut at its newlines however it arrives, and
// that no more is kept than may be.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\n\nbb\nrest"), 3)
	f.Add(bytes.Repeat([]byte("0123456789\n"), 1000), 7)
	f.Fuzz(func(t *testing.T, stream []byte, step int) {
		const most = 100
		step = max(1, step%5000)
		l := lines{from: &dribble{stream, step}, max: most}
		for {
			want, rest, found := bytes.Cut(stream, []byte{'\n'})
			got, err := l.next()
			switch {
			case len(want) > most:
				if err != errLongLine {
					t.Fatalf("a line of %d: %v", len(want), err)
				}
				return
			case !found:
				if err == nil {
					t.Fatalf("no line, got %q", got)
				}
				return
			case err != nil || !bytes.Equal(got, want):
				t.Fatalf("got %q, %v, want %q", got, err, want)
			case len(l.buf) > most+lineBuffer && len(l.buf) > lineBuffer:
				t.Fatalf("keeps %d bytes", len(l.buf))
			}
			stream = rest
		}
	})
}

// dribble gives at most step bytes at once.
type dribble struct {
	left []byte
	step int
}

func (d *dribble) Read(b []byte) (int, error) {
	if len(d.left) == 0 {
		return 0, os.ErrClosed
	}
	n := copy(b, d.left[:min(d.step, len(d.left))])
	d.left = d.left[n:]
	return n, nil
}
