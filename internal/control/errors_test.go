package control

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Every error that a caller may branch on keeps its identity and its words, in
// a single answer as in a stream.
func TestErrorsTravel(t *testing.T) {
	fail := func(reason string) error {
		for _, r := range reasons {
			if r.reason == reason {
				return fmt.Errorf("cannot do it: %w", r.err)
			}
		}
		return errors.New("no such reason")
	}
	h := &handler{
		call: func(r *controlpb.CallRequest) error { return fail(r.GetName()) },
		logs: func(r *controlpb.LogsRequest) error { return fail(r.GetId()) },
	}
	socket, _, _ := serve(t, h, Access{})
	c := Dial(socket)
	for _, r := range reasons {
		t.Run(r.reason, func(t *testing.T) {
			_, err := c.Call(context.Background(), &controlpb.CallRequest{Name: r.reason})
			check(t, err, r.err)
			stream, err := c.Logs(context.Background(), &controlpb.LogsRequest{Id: r.reason})
			if err != nil {
				t.Fatal(err)
			}
			for stream.Receive() {
			}
			check(t, stream.Err(), r.err)
		})
	}
}

func check(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) || !strings.Contains(got.Error(), "cannot do it") {
		t.Errorf("error %v, want one that is %v", got, want)
	}
	for _, r := range reasons {
		if r.err != want && errors.Is(got, r.err) {
			t.Errorf("error %v is %v as well", got, r.err)
		}
	}
}

func TestErrorDetails(t *testing.T) {
	exit := mp.Exit{Cause: mp.CauseSeccomp, Signal: 31, Syscall: "socket", Fault: mp.FaultWild, Detail: "d", Code: 3}
	guest := &mp.GuestError{Name: "TypeError", Message: "no", Stack: "at app.js:1"}
	h := &handler{call: func(*controlpb.CallRequest) error {
		return About("abc", EncodeExit(exit, time.Unix(1, 0)), fmt.Errorf("%w: %w", mp.ErrBadPackage, guest))
	}}
	socket, _, _ := serve(t, h, Access{})
	_, err := Dial(socket).Call(context.Background(), &controlpb.CallRequest{})
	var got *Error
	if !errors.As(err, &got) {
		t.Fatalf("error %v (%T) is no *Error", err, err)
	}
	if got.ID != "abc" || got.Exit == nil || *got.Exit != exit {
		t.Errorf("id %q, exit %+v", got.ID, got.Exit)
	}
	var thrown *mp.GuestError
	if !errors.As(err, &thrown) || *thrown != *guest {
		t.Errorf("thrown %+v", thrown)
	}
	if !errors.Is(err, mp.ErrBadPackage) {
		t.Errorf("%v is not a bad package", err)
	}
}

func TestInternalErrorHasNoReason(t *testing.T) {
	h := &handler{call: func(*controlpb.CallRequest) error { return errors.New("broken pipe dream") }}
	socket, _, _ := serve(t, h, Access{})
	_, err := Dial(socket).Call(context.Background(), &controlpb.CallRequest{})
	if err == nil || err.Error() != "broken pipe dream" {
		t.Errorf("error %v", err)
	}
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			t.Errorf("it is %v", r.err)
		}
	}
}

func TestNoDaemon(t *testing.T) {
	dead := filepath.Join(t.TempDir(), "dead")
	l, err := Listen(dead, -1)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, socket := range []string{filepath.Join(t.TempDir(), "none"), dead, "@control-test-nobody"} {
		_, err := Dial(socket).Info(context.Background(), &controlpb.InfoRequest{})
		if !errors.Is(err, ErrNoDaemon) || !strings.Contains(err.Error(), socket) {
			t.Errorf("%s: error %v", socket, err)
		}
	}
}

func TestSocketMode(t *testing.T) {
	exe := ownBinary(t)
	socket := filepath.Join(openDir(t), "control.sock")
	l, err := Listen(socket, 4242)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info, err := os.Stat(socket)
	if err != nil {
		t.Fatal(err)
	}
	if mode, gid := info.Mode().Perm(), info.Sys().(*syscall.Stat_t).Gid; mode != 0o660 || gid != 4242 {
		t.Errorf("mode %o, group %d", mode, gid)
	}
	got := callAs(t, exe, socket, syscall.Credential{Uid: 5002, Gid: 5002})
	if !got.Denied || !strings.Contains(got.Message, "group") {
		t.Errorf("a stranger was told %q", got.Message)
	}
}

func TestListenOnce(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "control.sock")
	first, err := Listen(socket, -1)
	if err != nil {
		t.Fatal(err)
	}
	if first.Addr().String() != socket {
		t.Errorf("it listens on %v", first.Addr())
	}
	if _, err := Listen(socket, -1); err == nil || !strings.Contains(err.Error(), "another daemon") {
		t.Errorf("a second daemon: %v", err)
	}
	first.Close()
	second, err := Listen(socket, -1)
	if err != nil {
		t.Fatalf("after the first has gone: %v", err)
	}
	second.Close()
	entries, err := os.ReadDir(filepath.Dir(socket))
	if err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestPrintable(t *testing.T) {
	for _, tt := range []struct {
		in    string
		multi bool
		want  string
	}{
		{"plain äöü 漢字", false, "plain äöü 漢字"},
		{"a\x1b[31mred", false, `a\x1b[31mred`},
		{"a\nb\tc", false, "a\\x0ab\tc"},
		{"a\nb\tc", true, "a\nb\tc"},
		{"\r\x00\x7f\u009b", true, `\x0d\x00\x7f\x9b`},
		{"abc\u202edef", false, `abc\u{202e}def`},
		{"\u200bx", false, `\u{200b}x`},
	} {
		if got := Printable(tt.in, tt.multi); got != tt.want {
			t.Errorf("Printable(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
