export { AlertActions, AlertEnded, AlertNotFound } from './alert-actions.js';
export { type AlertAttention, attentionOf } from './attention.js';
export { type AuditEntry, type AuditFilter, AuditLog, recordAudit } from './audit-log.js';
export { type Requester } from './requester.js';
