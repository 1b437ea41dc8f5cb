package compile

import (
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// newer are calls of Linux 6.5 to 6.18 that the libseccomp of Debian 12 does not
// know. Since 424 a call has one number on all architectures
// (asm-generic/unistd.h), these from firstNewer on.
var newer = []string{
	"cachestat", "fchmodat2", "map_shadow_stack", "futex_wake", "futex_wait", "futex_requeue",
	"statmount", "listmount", "lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules", "mseal",
	"setxattrat", "getxattrat", "listxattrat", "removexattrat", "open_tree_attr", "file_getattr", "file_setattr", "listns",
}

const firstNewer = 451

func isNewer(name string) bool { return slices.Contains(newer, name) }

// auditArch is what struct seccomp_data has for an architecture.
var auditArch = map[Arch]uint32{AMD64: AuditX86_64, ARM64: AuditAArch64}

// prologue is what comes before libseccomp's program: it answers the newer calls
// that have rows, and runs on into that program otherwise. Jumps are relative,
// so that a program can be put behind another as it is.
//
//	load arch
//	if it is not ours, go on
//	load number
//	if it is less than firstNewer, go on
//	if it is that of a row, return its action     (for each row)
func prologue(rules []seccomp.Rule, arch Arch) ([]byte, error) {
	const archOffset, numberOffset = 4, 0 // in struct seccomp_data
	var rows []unix.SockFilter
	for _, r := range rules {
		if !isNewer(r.Syscall) {
			continue
		}
		if len(r.Args) > 0 {
			return nil, fmt.Errorf("%s: a row of a call that libseccomp does not know looks at arguments", r.Syscall)
		}
		nr := firstNewer + slices.Index(newer, r.Syscall)
		rows = append(rows,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: uint32(nr)},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: uint32(r.Action)})
	}
	if len(rows) == 0 {
		return nil, nil
	}
	code := append([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_ABS | unix.BPF_W, K: archOffset},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: uint8(len(rows) + 2), K: auditArch[arch]},
		{Code: unix.BPF_LD | unix.BPF_ABS | unix.BPF_W, K: numberOffset},
		{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, Jf: uint8(len(rows)), K: firstNewer},
	}, rows...)
	return assemble(code), nil
}

// assemble gives the array of struct sock_filter in native byte order.
func assemble(code []unix.SockFilter) (b []byte) {
	for _, in := range code {
		b = binary.NativeEndian.AppendUint16(b, in.Code)
		b = append(b, in.Jt, in.Jf)
		b = binary.NativeEndian.AppendUint32(b, in.K)
	}
	return b
}
