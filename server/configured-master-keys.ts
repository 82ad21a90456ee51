import type { Config } from './config.ts';
import { type MasterKeys, parseMasterKeys } from './crypto/master-key.ts';
import type { Logger } from './logging.ts';
import { MasterKeyMissing, makeMasterKey, readMasterKey } from './master-key-file.ts';

/** The master keys of the settings, or of the file that stands in for them. */
export function configuredMasterKeys(config: Config, logger: Logger): MasterKeys {
  if (config.masterKey !== null) return parseMasterKeys(config.masterKey);
  const file = config.masterKeyPath;
  const load = (): MasterKeys | null => {
    const text = readMasterKey(file);
    return text === null ? null : parseMasterKeys(text);
  };
  const make = (): MasterKeys => {
    const isNew = makeMasterKey(file);
    if (isNew) logger.info({ file }, 'made a master key; back it up, apart from the database');
    if (isNew && !config.isEmbedded)
      logger.warn({ file }, 'set KEYTURN_MASTER_KEY where instances do not share this file');
    const masterKeys = load();
    // A link to where nothing is, such as a volume that is not mounted.
    if (masterKeys === null) throw new MasterKeyMissing(file);
    return masterKeys;
  };
  return masterKeysFromFile(file, load, make);
}

/**
 * Read when first used, because most commands need no master key and must not leave one behind; and made only by what
 * encrypts anew. Where something has to be decrypted a key was there, and a new one in its place would hide the loss.
 */
function masterKeysFromFile(file: string, load: () => MasterKeys | null, make: () => MasterKeys): MasterKeys {
  let loaded: MasterKeys | null = null;
  const opened = (): MasterKeys | null => {
    loaded ??= load();
    return loaded;
  };
  const made = (): MasterKeys => {
    loaded = opened() ?? make();
    return loaded;
  };
  return {
    refreshTokenMacKeys: () => made().refreshTokenMacKeys(),
    auditMacKeys: () => made().auditMacKeys(),
    encrypt: (plaintext, associatedData) => made().encrypt(plaintext, associatedData),
    decrypt(envelope, associatedData) {
      const masterKeys = opened();
      if (masterKeys === null) throw new MasterKeyMissing(file);
      return masterKeys.decrypt(envelope, associatedData);
    },
  };
}
