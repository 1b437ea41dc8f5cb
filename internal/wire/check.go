package wire

import (
	"errors"
	"fmt"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

func (m *Sealed) check() error {
	errs := []error{size("locks", len(m.Locks), MaxLocks), text("image", m.Image, MaxName)}
	for _, l := range m.Locks {
		errs = append(errs, text("lock", l, MaxName))
	}
	return errors.Join(errs...)
}

func (m *Boot) check() error {
	switch {
	case m.Heap <= 0 || m.TurnMillis <= 0 || m.ResultBytes <= 0 || m.LogRate < 0:
		return errors.New("a limit is not positive")
	case m.ResultBytes > MaxResult:
		return fmt.Errorf("result limit of %d bytes: the most is %d", m.ResultBytes, MaxResult)
	}
	return errors.Join(text("app_id", m.AppID, MaxName), text("entry", m.Entry, MaxName))
}

func (m *Booted) check() error {
	if err := errors.Join(size("exports", len(m.Exports), MaxExports), guestError(m.Error)); err != nil {
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
	case mp.CauseExited, mp.CauseCallLimit, mp.CauseMemoryLimit, mp.CauseMemoryViolation, mp.CauseProtocol, mp.CauseSupervisorGone:
	default: // the other causes are not a worker's to claim
		return fmt.Errorf("cause %.40q", string(m.Cause))
	}
	switch m.Fault {
	case "", mp.FaultNull, mp.FaultGuard, mp.FaultExec, mp.FaultWild, mp.FaultUnknown:
	default:
		return fmt.Errorf("fault %.40q", string(m.Fault))
	}
	if m.Code < 0 || m.Code > 255 {
		return fmt.Errorf("exit code %d", m.Code)
	}
	return text("detail", m.Detail, MaxErrText)
}

func guestError(e *mp.GuestError) error {
	if e == nil {
		return nil
	}
	return errors.Join(text("error name", e.Name, MaxName), text("error message", e.Message, MaxErrText), text("error stack", e.Stack, MaxErrText))
}
