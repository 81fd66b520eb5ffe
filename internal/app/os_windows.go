package app

import "golang.org/x/sys/windows"

// freeBytes is what this user may still use.
func freeBytes(dir string) (int64, error) {
	p, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(p, &free, nil, nil); err != nil {
		return 0, err
	}
	return int64(free), nil
}

// privateFiles does nothing: files inherit the rights of their folder.
func privateFiles() {}
