export { ruleCache } from './cache';
