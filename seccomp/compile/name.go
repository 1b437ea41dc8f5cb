package compile

import (
	"fmt"

	libseccomp "github.com/seccomp/libseccomp-golang"
)

// The architectures that an audit record can name on the machines that have
// tables: AUDIT_ARCH_* of linux/audit.h.
const (
	AuditX86_64  = 0xc000003e
	AuditI386    = 0x40000003
	AuditAArch64 = 0xc00000b7
	AuditARM     = 0x40000028
)

// x32Bit marks a number of the x32 entry; its record names x86-64.
const x32Bit = 0x40000000

// Name names a system call by the architecture and number that the kernel's
// audit record gives, and says by which entry it came, if it is not the native
// one. A number that has no name is given as "syscall N".
func Name(auditArch uint32, nr int) string {
	name, arch := Call(auditArch, nr)
	switch arch {
	case "i386", "arm":
		return name + " (32-bit entry)"
	case "x32":
		return name + " (x32 entry)"
	}
	return name
}

// Call is Name with the entry apart: x86_64, i386, x32, aarch64 or arm, or the
// architecture's number.
func Call(auditArch uint32, nr int) (name, arch string) {
	if auditArch == AuditX86_64 && nr&x32Bit != 0 {
		return lookup(libseccomp.ArchX32, nr), "x32"
	}
	for _, known := range []struct {
		audit uint32
		id    libseccomp.ScmpArch
		name  string
	}{
		{AuditX86_64, libseccomp.ArchAMD64, "x86_64"},
		{AuditI386, libseccomp.ArchX86, "i386"},
		{AuditAArch64, libseccomp.ArchARM64, "aarch64"},
		{AuditARM, libseccomp.ArchARM, "arm"},
	} {
		if known.audit == auditArch {
			return lookup(known.id, nr), known.name
		}
	}
	arch = fmt.Sprintf("%#x", auditArch)
	return fmt.Sprintf("syscall %d of architecture %s", nr, arch), arch
}

func lookup(arch libseccomp.ScmpArch, nr int) string {
	name, err := libseccomp.ScmpSyscall(nr).GetNameByArch(arch)
	if err == nil {
		return name
	}
	if i := nr - firstNewer; i >= 0 && i < len(newer) {
		return newer[i]
	}
	return fmt.Sprintf("syscall %d", nr)
}
