package engine

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

type lastLine struct{ level, text string }

func (l *lastLine) Log(level, text string) { l.level, l.text = level, text }

// Ask answers with what it was asked, or that there is no such method.
func (l *lastLine) Ask(_ context.Context, method string, params []byte, done func([]byte, error)) {
	if method != "echo" {
		done(nil, &mp.AskError{Code: mp.AskNotFound, Message: "no method " + method})
		return
	}
	done(params, nil)
}

// ask waits for an answer.
func ask(g Guest, name, params string) (string, error) {
	var result []byte
	var err error
	Ask(context.Background(), g, name, []byte(params), func(r []byte, e error) { result, err = r, e })
	return string(result), err
}

// codeOf is the code of an AskError, or "".
func codeOf(err error) mp.AskCode {
	var ask *mp.AskError
	if errors.As(err, &ask) {
		return ask.Code
	}
	return ""
}

func TestAsk(t *testing.T) {
	for _, c := range []struct{ name, params, want, err string }{
		{"log", `{"level":"warn","text":"<é>"}`, `null`, ""},
		{"log", `{"level":"loud","text":"x"}`, ``, "level is not"},
		{"log", `{"level":"info"}`, ``, "are needed"},
		{"log", `{"level":"info","text":5}`, ``, "text must not be a JSON number"},
		{"log", `["info","x"]`, ``, "not an object"},
		{"log", ``, ``, "not an object"},
	} {
		got, err := ask(Guest{&Program{AppID: "com.example.test"}, &lastLine{}}, c.name, c.params)
		if got != c.want || (err != nil) != (c.err != "") || err != nil && (codeOf(err) != mp.AskParams || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s(%s): %s, %v, want %s, %s", c.name, c.params, got, err, c.want, c.err)
		}
	}
}

func TestAskLogs(t *testing.T) {
	var l lastLine
	if _, err := ask(Guest{&Program{}, &l}, "log", `{"level":"error","text":"héllo"}`); err != nil {
		t.Fatal(err)
	}
	if want := (lastLine{"error", "héllo"}); l != want {
		t.Errorf("got %+v", l)
	}
}

// What is not answered here goes to the host.
func TestAskHost(t *testing.T) {
	g := Guest{&Program{}, &lastLine{}}
	if got, err := ask(g, "echo", `[1]`); got != `[1]` || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	for _, name := range []string{"", "Log", "rpc.discover"} {
		if _, err := ask(g, name, ""); codeOf(err) != mp.AskNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}
