package lazy

import "time"

func Wait() { time.Sleep(time.Second) }
