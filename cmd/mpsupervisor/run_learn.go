package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

// learnedTimeout bounds the question about what was learned, which comes when
// the command may have been told to end.
const learnedTimeout = 10 * time.Second

// manifestFile and vendorMember name what a learned change is about.
const (
	manifestFile = "manifest.json"
	vendorMember = "mpsupervisor"
)

// learned prints what was learned from a program that has ended with err, if
// anything was to be, and returns how the command ends.
func (j *job) learned(p *program, err error) error {
	if !j.o.learn {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), learnedTimeout)
	defer cancel()
	r, failed := j.session.client.Learned(ctx, &controlpb.LearnedRequest{Id: p.id})
	if failed == nil {
		failed = j.printLearned(r)
	}
	if failed == nil {
		return err
	}
	failed = fmt.Errorf("cannot tell what was learned: %w", failed)
	if err == nil {
		return failed
	}
	fmt.Fprintf(j.a.err, "mpsupervisor: %s\n", printable(failed.Error(), true)) // the program's end decides the status
	return err
}

// learnView is what --learn prints with -o json.
type learnView struct {
	Complete  bool            `json:"complete"`
	Syscalls  []syscallView   `json:"syscalls"`
	HostCalls []string        `json:"host_calls"`
	Domains   []string        `json:"domains"`
	Manifest  json.RawMessage `json:"manifest"` // the member "mpsupervisor"
}

type syscallView struct {
	Syscall string `json:"syscall"`
	Count   uint64 `json:"count"`
	Action  string `json:"action"`
}

func (j *job) printLearned(r *controlpb.LearnedResponse) error {
	if !json.Valid([]byte(r.GetManifestJson())) {
		return errors.New("the supervisor has no manifest for it: the program has not ended")
	}
	if j.learnJSON {
		return printJSON(j.a.out, viewLearned(r))
	}
	if err := j.printSeen(r); err != nil {
		return err
	}
	change, err := j.manifestChange([]byte(r.GetManifestJson()))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(j.a.err, printable(change, true))
	return err
}

func viewLearned(r *controlpb.LearnedResponse) learnView {
	v := learnView{Complete: r.GetComplete(), Syscalls: []syscallView{}, HostCalls: append([]string{}, r.GetHostCalls()...),
		Domains: append([]string{}, r.GetDomains()...), Manifest: json.RawMessage(r.GetManifestJson())}
	for _, s := range r.GetSyscalls() {
		v.Syscalls = append(v.Syscalls, syscallView{s.GetSyscall(), s.GetCount(), s.GetAction()})
	}
	return v
}

// printSeen prints what the program asked for, as a table.
func (j *job) printSeen(r *controlpb.LearnedResponse) error {
	t := newTable(j.a.err)
	t.row("SYSTEM CALL", "COUNT", "WITHOUT --learn")
	for _, s := range r.GetSyscalls() {
		t.row(s.GetSyscall(), strconv.FormatUint(s.GetCount(), 10), s.GetAction())
	}
	for _, h := range r.GetHostCalls() {
		t.row("(host call) "+h, "-", "allow")
	}
	for _, d := range r.GetDomains() {
		t.row("(domain) "+d, "-", "allow")
	}
	return t.flush()
}

// manifestChange is the change of the package's manifest that allows what was
// seen, or without a package the whole member.
func (j *job) manifestChange(suggested []byte) (string, error) {
	if j.o.native {
		return fmt.Sprintf("the least that a manifest must allow for this:\n%q: %s", vendorMember, layOut(suggested, "")), nil
	}
	old, err := j.manifest()
	if err != nil {
		return "", err
	}
	changed, err := withVendor(old, suggested)
	if err != nil {
		return "", err
	}
	name := filepath.Join(j.o.dir, manifestFile)
	if d := diff(string(old), string(changed)); d != "" {
		return fmt.Sprintf("the change that leaves the manifest just enough for this (nothing was written):\n--- %s\n+++ %s\n%s", name, name, strings.TrimSuffix(d, "\n")), nil
	}
	return name + " allows just this already", nil
}

// manifest is the one of the package as it was packed.
func (j *job) manifest() ([]byte, error) {
	info, err := j.pkg.Stat()
	if err != nil {
		return nil, err
	}
	files, err := archive.Files(j.pkg, info.Size())
	if err != nil {
		return nil, err
	}
	return files.ReadFile(manifestFile)
}
