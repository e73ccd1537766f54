export { ExpiredDialog } from './ExpiredDialog';
