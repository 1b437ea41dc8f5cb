package seccomp

import "slices"

// nativeRefused: what no program here has a need of, by what it could be used
// for. Each is refused with EPERM and a record. Most take a capability that a
// program does not have, too, or one that an own user namespace would give.
func nativeRefused() []Rule {
	return slices.Concat(
		refuseEach("unshare setns chroot pivot_root mount umount2 open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr open_tree_attr statmount listmount listns",
			"namespaces and mounts"),
		refuseEach("ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_getfd get_robust_list",
			"other processes' memory and descriptors: process 1 has the same user"),
		refuseEach("bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register",
			"large parts of the kernel that few programs need, and in which most ways out were found"),
		refuseEach("io_setup io_submit io_getevents io_pgetevents io_cancel io_destroy",
			"input and output in the background, of which the host has one quota for everybody"),
		refuseEach("vmsplice tee", "share a program's pages with pipes, where others have got out"),
		refuseEach("memfd_create memfd_secret", "memory that has a descriptor can be executed, and no mount forbids it; files in /tmp are counted, and are not executed"),
		refuseEach("shmget shmat shmctl shmdt msgget msgsnd msgrcv msgctl semget semop semtimedop semctl",
			"System V memory, messages and semaphores: memory that can be executed, and limits of the kernel's own"),
		refuseEach("mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr", "message queues, for which the limit is 0"),
		refuseEach("add_key request_key keyctl", "the kernel's keys do not belong to a namespace"),
		refuseEach("fanotify_init fanotify_mark name_to_handle_at open_by_handle_at", "files by other means than a name"),
		refuseEach("cachestat", "tells which files of the host's memory others have used"),
		refuseEach("lsm_get_self_attr lsm_set_self_attr lsm_list_modules", "what the host's security modules say of a process"),
		refuseEach("quotactl quotactl_fd sysfs ustat file_setattr", "administration of file systems"),
		refuseEach("init_module finit_module delete_module create_module query_module get_kernel_syms kexec_load kexec_file_load reboot",
			"the kernel itself"),
		refuseEach("swapon swapoff acct syslog sethostname setdomainname vhangup lookup_dcookie nfsservctl _sysctl uselib",
			"administration of the host"),
		refuseEach("settimeofday clock_settime clock_adjtime adjtimex", "the host's clock"),
		refuseEach("iopl ioperm modify_ldt", "the processor's ports and segments"),
		refuseEach("remap_file_pages", "an old interface to memory, past the rules of mmap"),
		refuseEach("mbind set_mempolicy set_mempolicy_home_node migrate_pages move_pages", "which memory of the host is used, and by whom"),
		refuseEach("sched_setattr ioprio_set", "scheduling in classes that hold others up"),
	)
}
