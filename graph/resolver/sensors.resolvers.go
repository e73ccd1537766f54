package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/model"
)

func (r *mutationResolver) CreateSensor(ctx context.Context, input model.CreateSensorInput) (*model.SensorPayload, error) {
	spec, err := newSensor(input)
	var e *ent.Sensor
	if err == nil {
		e, err = r.Plant.CreateSensor(ctx, spec)
	}
	mistakes, err := mistakesOf(ctx, err)
	return &model.SensorPayload{Sensor: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) UpdateSensor(ctx context.Context, input model.UpdateSensorInput) (*model.SensorPayload, error) {
	change, err := sensorChange(input)
	var e *ent.Sensor
	if err == nil {
		e, err = r.Plant.UpdateSensor(ctx, input.ID, input.ExpectedVersion, change)
	}
	mistakes, err := mistakesOf(ctx, err)
	return &model.SensorPayload{Sensor: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) DeleteSensor(ctx context.Context, input model.DeleteSensorInput) (*model.SensorPayload, error) {
	e, err := r.Plant.DeleteSensor(ctx, input.ID, input.ExpectedVersion.Value())
	mistakes, err := mistakesOf(ctx, err)
	return &model.SensorPayload{Sensor: e, UserErrors: mistakes}, err
}
