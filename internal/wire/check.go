package wire

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

func (m *Sealed) check() error {
	errs := []error{size("locks", len(m.Locks), MaxLocks), text("image", m.Image, MaxName), text("build", m.Build, MaxName)}
	for _, l := range m.Locks {
		errs = append(errs, text("lock", l, MaxName))
	}
	return errors.Join(errs...)
}

func (m *Boot) check() error {
	switch {
	case m.Heap <= 0 || m.TurnMillis <= 0 || m.ResultBytes <= 0:
		return errors.New("a limit is not positive")
	case m.LogRate < 0 || m.IPCRate < 0:
		return errors.New("a rate is negative")
	case m.Image && m.Native != nil:
		return errors.New("a heap image for a native program")
	case m.ResultBytes > MaxResult:
		return fmt.Errorf("result limit of %d bytes: the most is %d", m.ResultBytes, MaxResult)
	}
	if m.Native != nil && m.Wasm != nil || m.Wasm != nil && m.Wasm.Compile && m.Image {
		return errors.New("a program of two kinds")
	}
	return errors.Join(text("app_id", m.AppID, MaxName), text("entry", m.Entry, MaxName), m.Native.check(), m.Wasm.check())
}

// check allows nil, which every program but one of WebAssembly has.
func (m *Wasm) check() error {
	switch {
	case m == nil:
		return nil
	case m.TmpBytes <= 0 || m.TmpFiles <= 0:
		return errors.New("a limit is not positive")
	}
	return errors.Join(size("arguments", len(m.Args), MaxArgs), checkText(m.Args))
}

func (*Begin) check() error { return nil }

// check allows nil, which every program but a native one has.
func (m *Native) check() error {
	switch {
	case m == nil:
		return nil
	case len(m.Args) == 0 || m.Args[0] == "":
		return errors.New("a native program without a name")
	case m.TTY && !m.Stdio:
		return errors.New("a terminal without a standard input")
	}
	for _, v := range m.Env {
		if strings.IndexByte(v, '=') < 1 {
			return fmt.Errorf("variable %.40q is not NAME=VALUE", v)
		}
	}
	return errors.Join(size("arguments", len(m.Args), MaxArgs), size("variables", len(m.Env), MaxArgs), checkText(slices.Concat(m.Args, m.Env, []string{m.Dir})))
}

// checkText looks at strings that end with a zero byte where they go.
func checkText(all []string) error {
	total := 0
	for _, s := range all {
		if strings.IndexByte(s, 0) >= 0 {
			return errors.New("an argument or variable with a zero byte")
		}
		if err := text("argument or variable", s, MaxArgText); err != nil {
			return err
		}
		total += len(s) + 1
	}
	return size("arguments and variables", total, MaxArgText)
}

func (m *Signal) check() error {
	if m.Number < 1 || m.Number > 31 {
		return fmt.Errorf("signal %d", m.Number)
	}
	return nil
}

func (m *Heap) check() error {
	if m.Bytes <= 0 {
		return fmt.Errorf("a heap of %d bytes", m.Bytes)
	}
	return nil
}

func (*Done) check() error { return nil }

func (m *Booted) check() error {
	if err := errors.Join(size("exports", len(m.Exports), MaxExports), guestError(m.Error), text("image", m.Image, MaxName)); err != nil {
		return err
	}
	for _, e := range m.Exports {
		if err := text("export", e, MaxName); err != nil {
			return err
		}
	}
	return nil
}

func (m *Call) check() error {
	return errors.Join(text("name", m.Name, MaxName), size("input", len(m.Input), MaxInput))
}

func (m *Reply) check() error {
	return errors.Join(size("output", len(m.Output), MaxResult), guestError(m.Error))
}

func (m *Event) check() error {
	if !m.Type.Valid() {
		return fmt.Errorf("event %.40q", string(m.Type))
	}
	return errors.Join(text("page", m.Page, MaxPage), size("detail", len(m.Detail), MaxDetail))
}

func (m *EventDone) check() error { return size("result", len(m.Result), MaxState) }

func (m *Ask) check() error {
	if m.Method == "" {
		return errors.New("a request without a method")
	}
	return errors.Join(text("method", m.Method, MaxName), size("params", len(m.Params), MaxParams))
}

func (m *Answer) check() error {
	if (len(m.Result) == 0) == (m.Error == nil) {
		return errors.New("an answer that has not one of result and error")
	}
	if m.Error == nil {
		return size("result", len(m.Result), MaxParams)
	}
	return errors.Join(askCode(m.Error.Code), text("error message", m.Error.Message, MaxErrText))
}

func askCode(c mp.AskCode) error {
	if c == "" || len(c) > MaxAskCode || strings.Trim(string(c), "abcdefghijklmnopqrstuvwxyz_") != "" {
		return fmt.Errorf("error code %.80q", string(c))
	}
	return nil
}

func (m *Log) check() error {
	if err := size("lines", len(m.Lines), MaxLogLines); err != nil {
		return err
	}
	for _, l := range m.Lines {
		if err := l.check(); err != nil {
			return err
		}
	}
	return nil
}

func (l LogLine) check() error {
	switch l.Level {
	case "debug", "info", "warn", "error":
		return text("line", l.Text, MaxLogText)
	}
	return fmt.Errorf("log level %.20q", l.Level)
}

func (m *Ending) check() error {
	switch m.Cause {
	case mp.CauseExited, mp.CauseSignal, mp.CauseCallLimit, mp.CauseMemoryLimit, mp.CauseMemoryViolation, mp.CauseProtocol, mp.CauseSupervisorGone:
	default: // the other causes are not a worker's to claim
		return fmt.Errorf("cause %.40q", string(m.Cause))
	}
	switch m.Fault {
	case "", mp.FaultNull, mp.FaultGuard, mp.FaultExec, mp.FaultWild, mp.FaultIllegal, mp.FaultSyscall, mp.FaultUnknown:
	default:
		return fmt.Errorf("fault %.40q", string(m.Fault))
	}
	if m.Code < 0 || m.Code > 255 {
		return fmt.Errorf("exit code %d", m.Code)
	}
	if m.Signal < 0 || m.Signal > 64 || (m.Signal != 0) != (m.Cause == mp.CauseSignal) {
		return fmt.Errorf("signal %d with cause %q", m.Signal, string(m.Cause))
	}
	return text("detail", m.Detail, MaxErrText)
}

func guestError(e *mp.GuestError) error {
	if e == nil {
		return nil
	}
	return errors.Join(text("error name", e.Name, MaxName), text("error message", e.Message, MaxErrText), text("error stack", e.Stack, MaxErrText))
}
