/**
 * Keeps zod from trying `new Function`, which the page's content security policy forbids. Imported before whatever
 * makes schemas.
 *
 * @module
 */
import { config } from 'zod';

config({ jitless: true });
