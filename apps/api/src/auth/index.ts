import { AccountController } from './account.controller.js';
import { AuthController } from './auth.controller.js';
import { AuthEventsController } from './auth-events.controller.js';
import { KeysController } from './keys.controller.js';
import { UsersController } from './users.controller.js';

/** Everything about who may do what. */
export const authControllers = [
  AuthController,
  AccountController,
  UsersController,
  KeysController,
  AuthEventsController,
];
