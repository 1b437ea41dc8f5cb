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
// audit record gives. A number that has no name is given as "syscall N".
func Name(auditArch uint32, nr int) string {
	arch, ok := map[uint32]libseccomp.ScmpArch{
		AuditX86_64:  libseccomp.ArchAMD64,
		AuditI386:    libseccomp.ArchX86,
		AuditAArch64: libseccomp.ArchARM64,
		AuditARM:     libseccomp.ArchARM,
	}[auditArch]
	if !ok {
		return fmt.Sprintf("syscall %d of architecture %#x", nr, auditArch)
	}
	if arch == libseccomp.ArchAMD64 && nr&x32Bit != 0 {
		arch = libseccomp.ArchX32
	}
	name, err := libseccomp.ScmpSyscall(nr).GetNameByArch(arch)
	if err != nil {
		name = fmt.Sprintf("syscall %d", nr)
	}
	switch arch {
	case libseccomp.ArchX86, libseccomp.ArchARM:
		return name + " (32-bit entry)"
	case libseccomp.ArchX32:
		return name + " (x32 entry)"
	}
	return name
}
