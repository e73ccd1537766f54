package config

import (
	"net/url"
	"time"
)

// Training is how models are trained, in processes of the role jobs.
type Training struct {
	TrainerPath string        `env:"TRAINER_PATH" doc:"Program that trains (make trainer, or the target trainer of deploy/Dockerfile); empty: foresight-trainer beside this one. Without it this process trains nothing."`
	AtOnce      int           `env:"AT_ONCE" envDefault:"1" doc:"Trainings that one process works at a time."`
	Threads     int           `env:"THREADS" envDefault:"2" doc:"Threads of a training."`
	MaxMemory   int64         `env:"MAX_MEMORY" envDefault:"8589934592" doc:"Memory in bytes that a training may use; a larger one fails. It holds on Linux."`
	MaxTime     time.Duration `env:"MAX_TIME" envDefault:"2h" doc:"Longest time of the trainer; a longer one is ended and fails."`
	MinFeedback int           `env:"MIN_FEEDBACK" envDefault:"10" doc:"Corrections and new faults that a training from feedback needs at least."`
	MLflowURL   string        `env:"MLFLOW_URL" doc:"MLflow tracking server to which trainings are mirrored, https://host; empty: none. The same in all processes of the role jobs."`
	MLflowToken string        `env:"MLFLOW_TOKEN" secret:"true" doc:"Bearer token at the MLflow server."`
}

func (t Training) verify(bad func(name, format string, args ...any)) {
	if t.AtOnce < 1 || t.Threads < 1 || t.MinFeedback < 1 {
		bad("TRAINING_AT_ONCE, _THREADS, _MIN_FEEDBACK", "want at least 1")
	}
	if t.MaxMemory < 256<<20 {
		bad("TRAINING_MAX_MEMORY", "want at least 256 MiB")
	}
	if t.MaxTime <= 0 {
		bad("TRAINING_MAX_TIME", "want a duration above 0, such as 2h")
	}
	if t.MLflowURL == "" {
		return
	}
	if u, err := url.Parse(t.MLflowURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		bad("TRAINING_MLFLOW_URL", "want http://host:port or https://host")
	}
}
