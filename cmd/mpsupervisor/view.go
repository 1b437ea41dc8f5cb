package main

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// The views are what -o json prints. Their names are kept: a field may be
// added, none is renamed or removed. Times are RFC 3339 in UTC; durations are
// seconds.

type programView struct {
	ID         string    `json:"id"`
	AppID      string    `json:"app_id"`
	Name       string    `json:"name"`
	Version    string    `json:"version"`
	Digest     string    `json:"digest"`
	Runtime    string    `json:"runtime"` // js, native
	State      string    `json:"state"`   // starting, running, frozen, suspending, hibernated, ending, ended
	Started    *string   `json:"started"`
	PID        int32     `json:"pid"`
	Memory     uint64    `json:"memory_bytes"`
	CPUSeconds float64   `json:"cpu_seconds"`
	Calls      uint64    `json:"calls"`
	Visible    bool      `json:"visible"`     // it was told so
	Page       string    `json:"page"`        // the one that is shown when it is visible, if it was said which
	Exit       *exitView `json:"exit"`        // null while it runs
	ImageBytes uint64    `json:"image_bytes"` // of a hibernated program's image
	Hibernated *string   `json:"hibernated"`  // since when it is; null if it is not
}

type exitView struct {
	Cause   string  `json:"cause"`
	Code    int32   `json:"code"`
	Signal  int32   `json:"signal"`
	Syscall string  `json:"syscall"`
	Fault   string  `json:"fault"`
	Detail  string  `json:"detail"`
	Status  int32   `json:"status"`
	Time    *string `json:"time"`
}

type usageView struct {
	Memory     uint64  `json:"memory_bytes"`
	Peak       uint64  `json:"peak_bytes"`
	Pids       uint64  `json:"pids"`
	CPUSeconds float64 `json:"cpu_seconds"`
	Throttled  uint64  `json:"throttled_periods"`
	LogLines   uint64  `json:"log_lines"`
	LogDropped uint64  `json:"log_dropped"`
}

type lockView struct {
	Name  string `json:"name"`
	Want  string `json:"want"`
	Found string `json:"found"`
	OK    bool   `json:"ok"`
}

type channelView struct {
	Handshake        string `json:"handshake"`
	SentBytes        uint64 `json:"sent_bytes"`
	ReceivedBytes    uint64 `json:"received_bytes"`
	SentMessages     uint64 `json:"sent_messages"`
	ReceivedMessages uint64 `json:"received_messages"`
	Rekeys           uint64 `json:"rekeys"`
}

type inspectView struct {
	Program      programView  `json:"program"`
	Entry        string       `json:"entry"`
	Exports      []string     `json:"exports"`
	Pages        []string     `json:"pages"` // of the manifest, the home page first
	Image        string       `json:"image"`
	StartImage   string       `json:"start_image"`  // what the program began with: prelude, ready, instance
	StartReason  string       `json:"start_reason"` // and why with nothing quicker
	PolicyDigest string       `json:"policy_digest"`
	Limits       limitsView   `json:"limits"`
	Usage        usageView    `json:"usage"`
	Locks        []lockView   `json:"locks"`
	Channel      *channelView `json:"channel"`
	Denials      []denialView `json:"denials"` // system calls that were refused, most frequent first
	Learning     bool         `json:"learning"`
}

type denialView struct {
	Syscall string `json:"syscall"`
	Arch    string `json:"arch"`
	Action  string `json:"action"` // killed, refused, logged
	Count   uint64 `json:"count"`
}

func viewProgram(p *controlpb.Program) programView {
	return programView{
		ID: p.GetId(), AppID: p.GetAppId(), Name: p.GetName(), Version: p.GetVersion(),
		Digest: p.GetDigest(), Runtime: p.GetRuntime(), State: p.GetState(), Started: stamp(p.GetStarted()), PID: p.GetPid(),
		Memory: p.GetMemoryBytes(), CPUSeconds: seconds(p.GetCpu()), Calls: p.GetCalls(),
		Visible: p.GetVisible(), Page: p.GetPage(),
		Exit: viewExit(p.GetExit()), ImageBytes: p.GetImageBytes(), Hibernated: stamp(p.GetHibernated()),
	}
}

func viewExit(e *controlpb.Exit) *exitView {
	if e == nil {
		return nil
	}
	return &exitView{
		Cause: e.GetCause(), Code: e.GetCode(), Signal: e.GetSignal(), Syscall: e.GetSyscall(),
		Fault: e.GetFault(), Detail: e.GetDetail(), Status: e.GetStatus(), Time: stamp(e.GetTime()),
	}
}

func viewInspect(r *controlpb.InspectResponse) inspectView {
	v := inspectView{
		Program: viewProgram(r.GetProgram()), Entry: r.GetEntry(),
		Image: r.GetImage(), StartImage: r.GetStartImage(), StartReason: r.GetStartReason(), PolicyDigest: r.GetPolicyDigest(), Limits: viewLimits(r.GetLimits()),
		Usage: viewUsage(r.GetUsage()), Locks: viewLocks(r.GetLocks()), Channel: viewChannel(r.GetChannel()),
		Denials: viewDenials(r.GetDenials()), Learning: r.GetLearning(),
	}
	v.Exports, v.Pages = orEmpty(r.GetExports()), orEmpty(r.GetPages())
	return v
}

// orEmpty is an array for JSON, and never null.
func orEmpty(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}

func viewUsage(u *controlpb.Usage) usageView {
	return usageView{
		Memory: u.GetMemoryBytes(), Peak: u.GetPeakBytes(), Pids: u.GetPids(), CPUSeconds: seconds(u.GetCpu()),
		Throttled: u.GetThrottledPeriods(), LogLines: u.GetLogLines(), LogDropped: u.GetLogDropped(),
	}
}

func viewLocks(locks []*controlpb.Lock) []lockView {
	v := make([]lockView, 0, len(locks))
	for _, l := range locks {
		v = append(v, lockView{Name: l.GetName(), Want: l.GetWant(), Found: l.GetFound(), OK: l.GetOk()})
	}
	return v
}

func viewDenials(denials []*controlpb.Denial) []denialView {
	v := make([]denialView, 0, len(denials))
	for _, d := range denials {
		v = append(v, denialView{Syscall: d.GetSyscall(), Arch: d.GetArch(), Action: d.GetAction(), Count: d.GetCount()})
	}
	return v
}

func viewChannel(c *controlpb.Channel) *channelView {
	if c == nil {
		return nil
	}
	return &channelView{
		Handshake: c.GetHandshake(), SentBytes: c.GetSentBytes(), ReceivedBytes: c.GetReceivedBytes(),
		SentMessages: c.GetSentMessages(), ReceivedMessages: c.GetReceivedMessages(), Rekeys: c.GetRekeys(),
	}
}

// text gives an exit in one line, as mp.Exit does.
func (e *exitView) text() string {
	return mp.Exit{Cause: mp.Cause(e.Cause), Code: int(e.Code), Signal: int(e.Signal),
		Syscall: e.Syscall, Fault: mp.Fault(e.Fault), Detail: e.Detail}.String()
}

func stamp(t *timestamppb.Timestamp) *string {
	if t == nil {
		return nil
	}
	s := t.AsTime().UTC().Format(time.RFC3339Nano)
	return &s
}

func seconds(d *durationpb.Duration) float64 { return d.AsDuration().Seconds() }

// since tells how long ago t was, roughly, for people.
func since(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return roughly(time.Since(t.AsTime()))
}

func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(max(d, 0).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}

// bytesText gives a size with one decimal, for people.
func bytesText(n uint64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	v, units := float64(n)/1024, "KMGT"
	for v >= 1024 && len(units) > 1 {
		v, units = v/1024, units[1:]
	}
	return fmt.Sprintf("%.1f %ciB", v, units[0])
}
