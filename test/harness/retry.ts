import { jest } from '@jest/globals';

// A CI machine may stand still for seconds. What fails there is told, and tried once more; here it simply fails.
jest.retryTimes(1, { logErrorsBeforeRetry: true });
