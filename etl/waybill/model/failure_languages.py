"""Words of mail servers about failures in other languages than English: data of the table in feeds/failure_rules.

Rows and phrases are written as in failure_words: German without umlauts, the others without accents, because texts are
folded before they are compared. Many servers write no accents anyway.
"""

LANGUAGES: tuple[tuple[str, str, str], ...] = (
    ("message_too_large", "552 Nachricht zu gross",
     "nachricht|mail|email … zu gross|gro* / nachricht|mail uberschreitet … grosse / "
     "message … trop volumineux|gros|grand / mensaje … demasiado grande / "
     "taille … depass* / tamano … exced*|supera / メッセージ…大きすぎ / サイズ…超"),
    ("content_rejected", "554 als Spam abgelehnt",
     "spam … abgelehnt|verdacht|erkannt / als|wie spam / considere comme … spam|indesirable / "
     "courrier indesirable / mail rejete / message rejete / considerado|identificado … spam / correo no deseado / "
     "スパム / 迷惑メール / ウイルス / 垃圾邮件 / 病毒"),
    ("ip_blocked", "550 IP-Adresse gesperrt",
     "ip|ip_adresse|server … gesperrt|geblockt|blockiert / adresse ip … bloque|bloquee|liste* / "
     "ip … bloqueada|bloqueado|bloccato|bloqueio / lista negra / liste noire / ブラックリスト / 黑名单 / ip…拒否"),
    ("rate_limited", "421 Zu viele Verbindungen",
     "zu viele verbindungen|nachrichten|mails|empfanger / trop de connexions|messages|destinataires|mails / "
     "demasiadas conexiones / demasiados mensajes|correos|destinatarios / 接続数 / 送信…制限 / 频率 / 太多"),
    ("relay_denied", "550 Weiterleitung nicht erlaubt",
     "relay nicht erlaubt|gestattet / weiterleitung … nicht_erlaubt|verweigert / relais … refuse|interdit / "
     "relay … no_permitido|denegado / リレー…拒否"),
    ("mailbox_full", "552 Postfach voll",
     "postfach|mailbox|posteingang … voll|uberfullt|ueberfuellt|erschopft / speicherplatz / "
     "quota uberschritten|ueberschritten|uberzogen / "
     "boite … pleine|saturee / quota depass* / depass* … quota / espace … insuffisant / "
     "buzon|casilla|bandeja … lleno|llena|excedido / cuota … exced*|supera* / sin espacio / casella … piena / "
     "caixa … cheia / 容量…超|いっぱい|オーバー / 満杯 / 邮箱…满 / 已满"),
    ("address_inactive", "550 Konto gesperrt",
     "konto|postfach|benutzer|empfanger … gesperrt|deaktiviert|inaktiv|geschlossen|geloscht|geloescht|stillgelegt / "
     "compte|boite … bloque|desactive|desactivee|suspendu|ferme|fermee|archivee|inactif|inactive|bloquee / "
     "cuenta|buzon … desactivad*|deshabilitad*|suspendid*|inactiv*|cerrad*|bloquead* / 利用停止 / 停用 / 账号…冻结"),
    ("domain_not_found", "550 Domain nicht gefunden",
     "domain|domane|host|rechner … nicht_gefunden|unbekannt|existiert_nicht|nicht_bekannt / "
     "domaine … inconnu|introuvable|inexistant / "
     "dominio … no_existe|no_encontrado|desconocido|inexistente|non_esiste / ドメイン…見つかり|存在し / 域名"),
    ("address_not_found", "550 Empfaenger unbekannt",
     "empfanger|empfaenger|benutzer|adresse|postfach|nutzer|mailadresse|konto|teilnehmer … unbekannt|"
     "nicht_gefunden|existiert_nicht|nicht_bekannt|ungultig|ungueltig|nicht_vorhanden|gibt_es_nicht / "
     "unbekannter|ungultige|ungueltige|unbekannte empfanger|benutzer|adresse|emailadresse / "
     "kein|keine … benutzer|postfach|empfanger / "
     "utilisateur|destinataire|adresse|adresses|compte|boite … inconnu|inconnue|inexistant|inexistante|"
     "introuvable|invalide|nexiste / nexiste pas / "
     "usuario|destinatario|direccion|cuenta|buzon|utente|casella … desconocid*|no_existe|inexistente|"
     "no_encontrad*|invalid*|sconosciut*|non_esiste / no existe … usuario|cuenta|buzon|direccion / "
     "nessun utente / nao existe / "
     "不明|見つかりません / 存在しない|存在しません / 宛先…存在しま / 用户不存在 / 收件人…不存在 / "
     "пользователь не|неизвестн* / нет такого"),
)  # fmt: skip
"""Used after the English words."""
