# Sourced. as_root runs a command as root: by itself when the caller is root,
# else through sudo, which it says.

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
		return
	fi
	command -v sudo >/dev/null || {
		echo "root is needed for: $*" >&2
		echo "sudo is not installed: run this as root" >&2
		exit 1
	}
	echo "using sudo for: $*" >&2
	sudo -- "$@"
}
