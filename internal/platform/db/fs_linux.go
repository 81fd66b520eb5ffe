package db

import (
	"fmt"
	"syscall"
)

// refuseNetworkFS refuses file systems on which a write-ahead log, which needs shared memory and honest
// locks, would corrupt the file.
func refuseNetworkFS(dir string) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return err
	}
	for magic, name := range map[uint32]string{0x6969: "NFS", 0x517b: "SMB", 0xff534d42: "CIFS", 0xfe534d42: "SMB2",
		0x01021997: "9P", 0x5346414f: "AFS", 0x00c36400: "Ceph", 0x0bd00bd0: "Lustre", 0x73757245: "Coda"} {
		if uint32(st.Type) == magic {
			return fmt.Errorf("db: %s lies on a network file system (%s), where SQLite is not safe: use a local disk, or PostgreSQL", dir, name)
		}
	}
	return nil
}
