package main

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"espalier/datasets"
	"espalier/experiment"
	"espalier/train"
)

// lab is the world as the stages of a run see it.
func (a *app) lab() *experiment.Lab {
	l := &experiment.Lab{
		Runs:      a.runs,
		Places:    places(),
		Clock:     time.Now,
		Processor: processorTime,
		Watch:     func(title string) train.Observer { return &watcher{app: a, title: title} },
	}
	l.Report = a.reports()
	return l
}

// reports shows evaluations as loops of their own.
func (a *app) reports() func(task string, done, total int) {
	var p *progress
	return func(task string, done, total int) {
		if p == nil {
			p = a.newProgress(task, total, done)
		}
		p.set(done, done-p.done, "")
		if done >= total {
			p.end()
			p = nil
		}
	}
}

// places are where data sets are looked for on this machine.
func places() datasets.Places {
	p := datasets.Places{Data: os.Getenv("ESPALIER_DATA")}
	if dir, err := os.Getwd(); err == nil {
		p.Work = dir
	}
	if dir, err := os.UserCacheDir(); err == nil {
		p.Cache = dir
	}
	return p
}

// exists reports whether a file or directory is there; one that cannot be looked at is.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
