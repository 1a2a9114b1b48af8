package postgrestest

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// stopTimeout is how long a fast shutdown may take before the server is killed.
const stopTimeout = 10 * time.Second

// process is the first process of a server (the "postmaster"), the parent of all its others.
type process struct {
	cmd  *exec.Cmd
	life context.Context // done when the process has ended and cmd.ProcessState says how
}

// startProcess starts a command and waits for it, on a thread of its own for as long as the command runs: Linux would
// end the command together with the thread that started it (see childAttributes).
func startProcess(cmd *exec.Cmd) (*process, error) {
	life, end := context.WithCancel(context.Background())
	started := make(chan error)
	go func() {
		defer end()
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // cmd.ProcessState says the same
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return &process{cmd: cmd, life: life}, nil
}

func (p *process) runs() bool { return p.life.Err() == nil }

// stop asks for a fast shutdown and waits for it.
func (p *process) stop() {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil { // it has ended, or there are no such signals here
		p.kill()
		return
	}
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	select {
	case <-p.life.Done():
	case <-timeout.C:
		p.kill()
	}
}

// kill kills the process and its children and waits until they are gone.
func (p *process) kill() {
	if !p.runs() {
		return // its number may be another process's by now
	}
	gone := killChildren(p.cmd.Process)
	_ = p.cmd.Process.Kill() // the one error is that it has ended
	<-p.life.Done()
	gone()
}
