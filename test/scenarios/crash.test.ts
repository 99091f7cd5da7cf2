import { crashRing } from '../support/crash-ring.ts';
import { runStories } from '../support/crash-stories.ts';

crashRing(runStories, 3);
