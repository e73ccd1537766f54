export { RuleFormPage } from './RuleFormPage';
export { RulesPage } from './RulesPage';
export { useThresholds } from './thresholds';
