//go:build unix

package app

import "golang.org/x/sys/unix"

// freeBytes is what an unprivileged writer may still use.
func freeBytes(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// privateFiles keeps what this process makes from other users of the machine.
func privateFiles() { unix.Umask(0o027) }
