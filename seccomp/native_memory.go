package seccomp

import (
	"slices"
	"syscall"
)

const protExec = 0x4

// nativeMemory: nothing becomes executable but files, as they are, and those
// only of the program's own root: /tmp and every other mount that it can write
// to are mounted noexec. What else could make code of data is refused with the
// rest below: memory files, System V memory, personality, writing to another
// process's memory.
func nativeMemory() []Rule {
	noExec := without(2, protExec, "prot does not have PROT_EXEC")
	return slices.Concat(
		[]Rule{
			allow("mmap", "memory, and files read as memory", noExec).first(),
			allow("mmap", "programs and libraries, in pages that are never written",
				Arg{2, protExec | protWrite, protExec, "prot has PROT_EXEC and not PROT_WRITE"},
				without(3, mapAnonymous, "flags do not have MAP_ANONYMOUS")).first(),
			allow("mprotect", "guard pages, read-only data after relocation", noExec).first(),
			allow("pkey_mprotect", "the same", noExec),
		},
		each("brk munmap mremap msync mincore", "memory"),
		each("pkey_alloc pkey_free", "a process's own keys for its own memory"),
		each("mseal", "takes away the right to change its own mappings"),
		each("mlock mlock2 mlockall munlock munlockall", "the limit on locked memory is 0, and the kernel says so"),
		advice(),
		[]Rule{
			allow("membarrier", "threads of a process order their memory; not those commands that stop all the processors for all processes",
				without(0, 7, "cmd is not MEMBARRIER_CMD_GLOBAL, MEMBARRIER_CMD_GLOBAL_EXPEDITED, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED")),
			answer("get_mempolicy", syscall.ENOSYS, "libnuma asks whether there is anything for it to do").quiet(),
			answer("map_shadow_stack", syscall.ENOSYS, "goes with the shadow stacks that arch_prctl does not give").quiet(),
		},
	)
}

// advice allows all of madvise but MADV_MERGEABLE (12) and its opposite, a
// channel between processes that had the same page, and what is for
// administrators (100, 101). The kernel takes the advice as an int.
func advice() []Rule {
	span := func(first, last uint64, text, reason string) Rule {
		return allow("madvise", reason, Arg{2, low32 &^ (first ^ last), first & last, "advice is " + text}).first()
	}
	return []Rule{
		span(0, 7, "0 to 7 (MADV_NORMAL to MADV_DONTNEED)", "gives pages back, says how they will be used"),
		span(8, 11, "8 to 11 (MADV_FREE to MADV_DOFORK)", "the same; what a child gets"),
		span(14, 15, "14 or 15 (MADV_HUGEPAGE, MADV_NOHUGEPAGE)", "the size of pages"),
		span(16, 31, "16 to 31 (MADV_DONTDUMP to MADV_COLLAPSE)", "core dumps, reclaim, filling pages"),
		span(102, 103, "102 or 103 (MADV_GUARD_INSTALL, MADV_GUARD_REMOVE)", "guard pages of a thread's stack"),
	}
}
