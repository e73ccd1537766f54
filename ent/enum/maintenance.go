package enum

// WorkOrderType is why a work order exists.
type WorkOrderType string

// The types of work orders.
const (
	WorkOrderCorrective WorkOrderType = "corrective" // after a failure
	WorkOrderPreventive WorkOrderType = "preventive" // by calendar or running hours
	WorkOrderPredictive WorkOrderType = "predictive" // before a predicted failure
	WorkOrderInspection WorkOrderType = "inspection"
)

// Values lists the types.
func (WorkOrderType) Values() []string {
	return list(WorkOrderCorrective, WorkOrderPreventive, WorkOrderPredictive, WorkOrderInspection)
}

// Priority says how soon work is to be done.
type Priority string

// The priorities, rising.
const (
	PriorityLow    Priority = "low"
	PriorityMedium Priority = "medium"
	PriorityHigh   Priority = "high"
	PriorityUrgent Priority = "urgent"
)

// Values lists the priorities, rising.
func (Priority) Values() []string {
	return list(PriorityLow, PriorityMedium, PriorityHigh, PriorityUrgent)
}

// WorkOrderStatus is where a work order stands; completed and cancelled are ends.
type WorkOrderStatus string

// The states of a work order.
const (
	WorkOrderOpen       WorkOrderStatus = "open"
	WorkOrderInProgress WorkOrderStatus = "in_progress"
	WorkOrderCompleted  WorkOrderStatus = "completed"
	WorkOrderCancelled  WorkOrderStatus = "cancelled"
)

// Values lists the states.
func (WorkOrderStatus) Values() []string {
	return list(WorkOrderOpen, WorkOrderInProgress, WorkOrderCompleted, WorkOrderCancelled)
}

// RecordSource is where a maintenance record comes from.
type RecordSource string

// The sources.
const (
	RecordLocal      RecordSource = "local" // a work order closed here
	RecordSAPPM      RecordSource = "sap_pm"
	RecordAssetSuite RecordSource = "asset_suite"
	RecordMaximo     RecordSource = "maximo"
	RecordCSV        RecordSource = "csv"
)

// Values lists the sources.
func (RecordSource) Values() []string {
	return list(RecordLocal, RecordSAPPM, RecordAssetSuite, RecordMaximo, RecordCSV)
}

// ConnectorKind is the system that a connector speaks to.
type ConnectorKind string

// The kinds of connectors.
const (
	ConnectorSAPPM      ConnectorKind = "sap_pm"
	ConnectorAssetSuite ConnectorKind = "asset_suite"
	ConnectorMaximo     ConnectorKind = "maximo"
	ConnectorCSV        ConnectorKind = "csv"
	ConnectorMQTT       ConnectorKind = "mqtt"
)

// Values lists the kinds.
func (ConnectorKind) Values() []string {
	return list(ConnectorSAPPM, ConnectorAssetSuite, ConnectorMaximo, ConnectorCSV, ConnectorMQTT)
}

// ConnectorStatus is how a connector's last run ended.
type ConnectorStatus string

// The states of a connector.
const (
	ConnectorIdle    ConnectorStatus = "idle" // has not run yet
	ConnectorRunning ConnectorStatus = "running"
	ConnectorOK      ConnectorStatus = "ok"
	ConnectorFailed  ConnectorStatus = "failed"
)

// Values lists the states.
func (ConnectorStatus) Values() []string {
	return list(ConnectorIdle, ConnectorRunning, ConnectorOK, ConnectorFailed)
}

// DeliveryStatus is what became of a notification.
type DeliveryStatus string

// The states of a notification.
const (
	DeliveryPending    DeliveryStatus = "pending"
	DeliverySent       DeliveryStatus = "sent"
	DeliveryFailed     DeliveryStatus = "failed"     // given up
	DeliverySuppressed DeliveryStatus = "suppressed" // shelved, quiet hours, flood
)

// Values lists the states.
func (DeliveryStatus) Values() []string {
	return list(DeliveryPending, DeliverySent, DeliveryFailed, DeliverySuppressed)
}

// MessageRole says who speaks in a conversation.
type MessageRole string

// The roles of messages.
const (
	MessageUser      MessageRole = "user"
	MessageAssistant MessageRole = "assistant"
)

// Values lists the roles.
func (MessageRole) Values() []string { return list(MessageUser, MessageAssistant) }
